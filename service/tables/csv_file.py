"""Text files of rows: CSV and its relatives, read by pyarrow in blocks."""

import csv
import io
import re
import sys
import time
from collections.abc import Collection, Iterator, Set
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from service.errors import InvalidInput
from service.tables.arrow_cells import Markers, cells_of_strings, floats
from service.tables.cells import Cells, Chunk
from service.tables.dialect import LINE, ROW_LENGTH_LIMIT, SAMPLE, WHITE_SPACE, Dialect, recognise, rows_of
from service.tables.sources import Content, refuse
from service.tables.text import Decimal
from service.tables.text_stream import TextStream

BLOCK = 2**20
"""Bytes that pyarrow reads at a time; a row may have no more."""
LARGE_BLOCK = 2**25
"""The same for rows that are longer."""
RELEASE_CHECKS = 1000
"""Times, 1 ms apart, to look whether pyarrow still has a stream."""
OWN_REFERENCES = 3
"""References to a stream without those of pyarrow: the variables of two functions and an argument."""
END = "\x1fgdssm end\x1f"
"""A cell of the row that is added at the end; it is missing at the end if a quoted cell has no end."""
SHORT_ROWS = 10
"""Rows with less than half of the cells that are accepted always, and one in a hundred; their other cells are missing,
as those of rows with more are."""

MARKUP: dict[str, re.Pattern[str]] = {
    "an HTML page, not a table. Download the file that the page shows.": re.compile(
        r"\s*<(?:!doctype html|html|head|body|table|!--)", re.IGNORECASE
    ),
    "XML, not a table that is read here. Save it as CSV.": re.compile(r"\s*<\?xml", re.IGNORECASE),
    "an ARFF file, not a table that is read here. Save it as CSV.": re.compile(
        r"(?:%[^\n]*\n|\s)*@relation\b", re.IGNORECASE
    ),
}


class TextTable:
    """A text file of rows.

    Args:
        content: Its bytes.
        separator: Between cells; recognised if None.
        encoding: Recognised if None.
        header: Whether the first row has the names; recognised if None.
        missing: Texts that mean that a cell is missing.
        block: Bytes that are read at a time.

    Raises:
        InvalidInput: It cannot be read, or is not a table.
    """

    def __init__(
        self,
        content: Content,
        *,
        separator: str | None = None,
        encoding: str | None = None,
        header: bool | None = None,
        decimal: Decimal | None = None,
        missing: Set[str],
        block: int = BLOCK,
    ) -> None:
        self.name = content.name
        self._content, self._encoding, self._block = content, encoding, block
        self._markers = Markers(missing)
        self._progress = 0.0
        csv.field_size_limit(max(csv.field_size_limit(), LARGE_BLOCK))
        self._dialect, self._skip = self._recognise(separator, header, decimal)
        self._careful = self._dialect.rows_need_repair
        self._names = self._dialect.names
        self._numbers: Set[str] = self._dialect.decimals
        """Columns that pyarrow converts: of decimal numbers so far, or found to be numbers by a whole reading."""
        self._pointed = {*self._numbers}
        """Columns of numbers, of which one has a decimal point."""
        self.columns = tuple(name for name in self._names if name not in self._dialect.hidden)
        self.notes = self._dialect.notes

    @property
    def form(self) -> str:
        """How the text is read, for people."""
        separators = {WHITE_SPACE: "white space", "\t": "tabs"}
        separator = separators.get(self._dialect.separator, f"{self._dialect.separator!r}")
        return f"text in {self._text_encoding.removesuffix('-sig')}, separated by {separator}"

    @property
    def progress(self) -> float:
        """The part that the present reading has passed, from 0 to 1."""
        return self._progress

    def chunks(self, columns: Collection[str], *, text: Collection[str] = (), whole: bool = False) -> Iterator[Chunk]:
        """Read rows; see `Table.chunks`.

        Raises:
            InvalidInput: A row does not fit, or the file cannot be read.
        """
        start, self._progress = 0, 0.0
        known = self._numbers - {*text} if not whole else set()
        plain = {*columns} - {*text}
        while True:
            if self._careful:
                known = set()
            try:
                for batch in self._batches(self.columns if whole or not columns else columns, start, known):
                    cells = {
                        name: cells_of_strings(
                            batch.column(name), self._markers, text=name in text, commas=self._dialect.commas
                        )
                        if name not in known
                        else _checked_numbers(batch.column(name), pointed=name in self._pointed)
                        for name in columns
                    }
                    plain -= {name for name, own in cells.items() if own.kind != "number"}
                    self._pointed |= {name for name, own in cells.items() if own.pointed}
                    yield Chunk(start, batch.num_rows, cells, batch.select(self.columns) if whole else None)
                    start += batch.num_rows
            except pa.ArrowInvalid as error:
                if known:
                    known = self._numbers = set()
                elif "straddling" in str(error) and self._block < LARGE_BLOCK:
                    self._block = LARGE_BLOCK
                elif not self._careful:
                    self._careful = True
                else:
                    raise refuse(self.name, f"is not CSV ({' '.join(str(error).split())[:200]}).") from error
                continue
            self._progress = 1.0
            self._numbers = {*self._numbers, *plain}
            return

    def place(self, row: int) -> str:
        """Say on which line a row begins."""
        with self._lines() as lines:
            for count, (line, _) in enumerate(self._rows(lines)):
                if count == row:
                    return f"line {line}"
        return f"row {row + 1}"

    def _recognise(self, separator: str | None, header: bool | None, decimal: Decimal | None) -> tuple[Dialect, int]:
        """Return the dialect, and the bytes in UTF-8 before the first row."""
        size = SAMPLE
        while True:
            with self._content.open() as reading:
                stream = TextStream(reading, self.name, self._encoding)
                data, self._text_encoding = stream.read(size), stream.encoding
            whole = len(data) < size
            sample = data.decode(errors="ignore")
            if not whole:
                sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1]
                sample = sample.removesuffix("\r")  # the \n may follow
            self._check_text(sample)
            try:
                dialect = recognise(sample, separator=separator, header=header, whole=whole, decimal=decimal)
            except csv.Error as error:
                raise refuse(self.name, f"is not CSV ({error}).") from error
            lines = LINE.findall(sample)
            if whole or (dialect and dialect.lines + 1 < len(lines)):
                break
            if size >= 2**19 and sample and dialect is None:
                raise refuse(self.name, f"has no row in the first {size} characters.")
            if size >= 4 * ROW_LENGTH_LIMIT:
                raise refuse(self.name, f"is not CSV (a row of more than {ROW_LENGTH_LIMIT} characters).")
            size *= 8
        if dialect is None:
            raise refuse(self.name, "is empty. It needs a header and at least one row.")
        if whole and not any(line.strip() for line in lines[dialect.lines :]):
            raise refuse(self.name, "has a header and no rows. It needs at least one.")
        return dialect, sum(len(line.encode()) for line in lines[: dialect.lines])

    def _check_text(self, sample: str) -> None:
        for what, pattern in MARKUP.items():
            if pattern.match(sample[:4096]):
                raise refuse(self.name, f"is {what}")
        controls = sum(char < " " and char not in "\t\r\n\x0b\x0c\x1a\x1c\x1d\x1e\x1f" for char in sample[:4096])
        if controls > len(sample[:4096]) / 100:
            raise refuse(self.name, "is not a table: it holds binary data.")

    def _batches(self, columns: Collection[str], start: int, known: Set[str]) -> Iterator[pa.RecordBatch]:
        """Read columns as text, or as numbers where they are known to be, from a row on."""
        names, dialect = self._names, self._dialect
        texts = [name for name in columns if name not in known]
        with self._content.open() as reading:
            if self._careful:
                stream: Any = _Lines(self._repaired(TextStream(reading, self.name, self._encoding)))
            else:
                end = dialect.separator.join("" if name in known else END for name in names)
                tail = f"\n{end}\n".encode() if texts else b""
                stream = TextStream(reading, self.name, self._encoding, skip=self._skip, tail=tail)
            batches = arrow_csv.open_csv(
                stream,
                arrow_csv.ReadOptions(column_names=names, block_size=self._block),
                arrow_csv.ParseOptions(newlines_in_values=True)
                if self._careful
                else arrow_csv.ParseOptions(
                    delimiter=dialect.separator,
                    quote_char=dialect.quote,
                    escape_char=dialect.escape or False,
                    newlines_in_values=True,
                ),
                arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()) | dict.fromkeys(known, pa.float64()),
                    include_columns=list(columns),
                    null_values=sorted(self._markers.texts),
                    strings_can_be_null=False,
                ),
            )
            passed, ended = 0, not texts  # a quoted cell without end is no number
            try:
                for batch in batches:
                    self._progress = reading.progress
                    rows = batch.num_rows
                    if rows and texts and batch.column(texts[0])[rows - 1].as_py() == END:
                        ended, rows = True, rows - 1
                    first = min(max(start - passed, 0), rows)
                    if first < rows:
                        yield batch.slice(first, rows - first)
                    passed += rows
            finally:
                del batches
                _wait_until_released(stream)
            if not ended:
                raise pa.ArrowInvalid("a quoted cell has no end")

    @contextmanager
    def _lines(self) -> Iterator[Iterator[str]]:
        with self._content.open() as reading:
            yield self._split(TextStream(reading, self.name, self._encoding))

    def _split(self, stream: TextStream) -> Iterator[str]:
        """Split into lines, each at most as long as a row may be."""
        file = io.TextIOWrapper(io.BufferedReader(stream, BLOCK), encoding="utf-8", newline="")
        while line := file.readline(ROW_LENGTH_LIMIT):
            if len(line) >= ROW_LENGTH_LIMIT:
                raise refuse(self.name, f"is not CSV (a row of more than {ROW_LENGTH_LIMIT} characters).")
            yield line

    def _rows(self, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield the line on which each row begins, and its cells."""
        for _ in range(self._dialect.lines):
            next(lines)
        try:
            for first, _, row in rows_of(self._dialect, lines):
                yield self._dialect.lines + first + 1, row
        except csv.Error as error:
            raise refuse(self.name, f"is not CSV ({error}).") from error

    def _repaired(self, stream: TextStream) -> Iterator[bytes]:
        """Write every row with as many cells as there are columns, in one dialect.

        Raises:
            InvalidInput: A row has more cells than the header, or too many have less than half of the cells.
        """
        width, short = len(self._names), 0
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for count, (line, row) in enumerate(self._rows(self._split(stream))):
            if len(row) > width:
                if any(cell.strip() for cell in row[width:]):
                    raise self._ragged(line, row)
                del row[width:]
            elif len(row) < width:
                short += 2 * len(row) < width
                if short > SHORT_ROWS + count // 100:
                    raise self._ragged(line, row)
                row.extend([""] * (width - len(row)))
            writer.writerow(row)
            if out.tell() > BLOCK:  # words: allow
                yield out.getvalue().encode()
                out.seek(0)
                out.truncate()
        writer.writerow([END] * width)
        yield out.getvalue().encode()

    def _ragged(self, line: int, row: list[str]) -> InvalidInput:
        shown = self._dialect.separator.join(row)[:80]
        message = (
            f"has {len(row)} cells; the header has {len(self._names)}: {shown!r}. "
            "Quote cells that hold the separator, or say the separator (--separator)."
        )
        return refuse(self.name, message, f"line {line}")


def _wait_until_released(stream: Any) -> None:  # noqa: ANN401  (a file)
    """Wait until the thread of pyarrow that reads a stream lets go of it.

    It calls Python, and a process that ends meanwhile is aborted.
    """
    for _ in range(RELEASE_CHECKS):
        if sys.getrefcount(stream) <= OWN_REFERENCES:
            return
        time.sleep(0.001)


def _checked_numbers(column: pa.Array, *, pointed: bool) -> Cells:
    """Make the cells of numbers that pyarrow has converted.

    Raises:
        pa.ArrowInvalid: One is infinite, or the text nan.
    """
    numbers = floats(column)
    if np.count_nonzero(np.isfinite(numbers)) + column.null_count < len(numbers):
        raise pa.ArrowInvalid("a text of a number that is not finite")
    return Cells("number", numbers, pointed=pointed)


class _Lines(io.RawIOBase):
    """A file of blocks that are made when they are read."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._ready = blocks, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        while size < 0 or len(self._ready) < size:
            block = next(self._blocks, b"")
            if not block:
                break
            self._ready += block
        size = len(self._ready) if size < 0 else size
        block, self._ready = self._ready[:size], self._ready[size:]
        return block
