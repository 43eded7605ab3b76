"""Tables are written in chunks, as CSV, Parquet or Arrow, to a file or the standard output; needs pyarrow."""

import csv
import gzip
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import ipc, parquet

from service.errors import InvalidInput, Problem

PLAIN = arrow_csv.WriteOptions(include_header=False, quoting_style="none")


class TableWriter(Protocol):
    """A file of rows."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Write rows; all batches have the same columns."""

    def close(self) -> None:
        """Finish the file."""


class CsvWriter:
    """CSV with numbers in full precision; null is an empty cell.

    Args:
        write: Takes the bytes.
        header: Whether the names of the columns are the first row.
    """

    def __init__(self, write: Callable[[bytes], object], *, header: bool = True) -> None:
        self._write, self._header = write, header

    def write(self, batch: pa.RecordBatch) -> None:
        """Write rows; the header is written with the first ones, so that an earlier error writes nothing."""
        if self._header:
            self._write(_lines([batch.schema.names]))
            self._header = False
        texts = pa.record_batch(list(map(_as_text, batch.columns)), batch.schema.names)
        try:
            out = io.BytesIO()
            arrow_csv.write_csv(texts, out, PLAIN)
            self._write(out.getvalue())
        except pa.ArrowInvalid:  # a cell needs quotes
            self._write(_lines(zip(*texts.to_pydict().values(), strict=True)))

    def close(self) -> None:
        """Do nothing: all is written."""


class ArrowWriter:
    """A Parquet or Arrow file.

    Args:
        file: Is written.
        form: `parquet` or `arrow`.
    """

    def __init__(self, file: BinaryIO, form: str) -> None:
        self._file, self._form = file, form
        self._writer: Any = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Write rows."""
        if self._writer is None:
            schema = batch.schema.remove_metadata()  # pandas' index is a plain column here
            make = parquet.ParquetWriter if self._form == "parquet" else ipc.new_file
            self._writer = make(self._file, schema)
        self._writer.write_batch(batch.replace_schema_metadata(None))

    def close(self) -> None:
        """Write the end of the file."""
        if self._writer is not None:
            self._writer.close()


FORMATS = {".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow"}
"""By suffix; everything else is CSV, compressed if the suffix is .gz."""


def is_typed(out: Path | None) -> bool:
    """Return whether columns of a file have types."""
    return out is not None and out.suffix.lower() in FORMATS


@contextmanager
def open_output(out: Path | None) -> Iterator[TableWriter]:
    """Open the file for a table; it gets its name when it is complete.

    Args:
        out: Its suffix decides the format; the standard output if left out.

    Raises:
        InvalidInput: The file cannot be written.
    """
    if out is None:
        yield CsvWriter(_print)
        return
    regular = out.is_file() or not out.exists()  # and not a pipe or a device
    part = out.with_name(f".{out.name}.part") if regular else out
    try:
        with part.open("wb") as file, table_writer(file, out.suffix) as writer:
            yield writer
        if regular:
            part.replace(out)
    except OSError as error:
        raise InvalidInput(Problem(str(out), f"cannot be written ({error.strerror}).")) from error
    finally:
        if regular:
            with suppress(OSError):
                part.unlink(missing_ok=True)


@contextmanager
def table_writer(file: BinaryIO, suffix: str, *, header: bool = True) -> Iterator[TableWriter]:
    """Write a table to an open file.

    Args:
        file: Is written, and stays open.
        suffix: Decides the format, see `FORMATS`.
        header: Whether CSV begins with the names of the columns.
    """
    form = FORMATS.get(suffix.lower())
    if form is not None:
        with closing(ArrowWriter(file, form)) as writer:
            yield writer
    elif suffix.lower() == ".gz":
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
            yield CsvWriter(packed.write, header=header)
    else:
        yield CsvWriter(file.write, header=header)


def _print(block: bytes) -> None:
    sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()


def _lines(rows: Any) -> bytes:  # noqa: ANN401  (rows of cells)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _as_text(column: pa.Array) -> pa.Array:
    """Write the cells of a column as text; null stays."""
    try:
        return column.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        values = cast("list[object]", column.to_pylist())
        return pa.array([None if value is None else str(value) for value in values], pa.string())
