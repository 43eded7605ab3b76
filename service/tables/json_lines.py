"""JSON lines: an object in each line, from names to values; or one list of objects."""

import io
import json
from collections.abc import Collection, Iterator, Set
from contextlib import closing

from service.numbers import describe
from service.tables.cells import Chunk
from service.tables.sources import Content, refuse
from service.tables.text_stream import TextStream
from service.tables.value_chunks import ROWS, chunk_of

LINE_LENGTH_LIMIT = 2**23
"""Characters of one line."""
LIST_LENGTH_LIMIT = 2**26
"""Characters of one list of objects, which is in memory as a whole."""


class JsonLinesTable:
    """A file of JSON objects.

    Args:
        content: Its bytes.
        encoding: Recognised if None.
        missing: Texts that mean that a cell is missing.

    Raises:
        InvalidInput: It cannot be read, or a line is not an object.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, content: Content, *, encoding: str | None, missing: Set[str]) -> None:
        self.name = content.name
        self._content, self._encoding, self._missing = content, encoding, missing
        self._progress = 0.0
        names: dict[str, None] = {}
        for _, record in self._records():
            names.update(dict.fromkeys(record))
        if not names:
            raise refuse(self.name, "is empty. It needs at least one object with a name and a value.")
        self.columns = tuple(names)

    @property
    def progress(self) -> float:
        """The part that the present reading has passed, from 0 to 1."""
        return self._progress

    def chunks(self, columns: Collection[str], *, text: Collection[str] = (), whole: bool = False) -> Iterator[Chunk]:
        """Read rows; see `Table.chunks`. A name that a row lacks is missing there."""
        start = 0
        records: list[dict[str, object]] = []
        wanted = self.columns if whole or not columns else columns
        for last, record in self._with_end():
            if record is not None:
                records.append(record)
            if len(records) == ROWS or (last and records):
                values = {name: [item.get(name) for item in records] for name in wanted}
                yield chunk_of(start, values, columns, text=text, whole=whole, missing=self._missing, name=self.name)
                start, records = start + len(records), []
        self._progress = 1.0

    def place(self, row: int) -> str:
        """Say on which line a row is, or its number in a list."""
        for count, (place, _) in enumerate(self._records()):
            if count == row:
                return place
        return f"row {row + 1}"

    def _with_end(self) -> Iterator[tuple[bool, dict[str, object] | None]]:
        yield from ((False, record) for _, record in self._records())
        yield True, None

    def _records(self) -> Iterator[tuple[str, dict[str, object]]]:
        """Yield the place of each object, and the object."""
        with self._content.open() as reading:
            stream = io.BufferedReader(TextStream(reading, self.name, self._encoding), LINE_LENGTH_LIMIT)
            with closing(io.TextIOWrapper(stream, encoding="utf-8")) as file:
                number, is_list = 0, False
                while line := file.readline(LINE_LENGTH_LIMIT):
                    number += 1
                    self._progress = reading.progress
                    if number == 1 and line.lstrip().startswith("["):
                        is_list = True
                        break
                    if len(line) == LINE_LENGTH_LIMIT:
                        raise refuse(self.name, f"has over {LINE_LENGTH_LIMIT} characters.", f"line {number}")
                    if line.strip():
                        yield f"line {number}", self._object(self._parsed(line, number), f"line {number}")
                if is_list:
                    text = line + file.read(LIST_LENGTH_LIMIT)
                    if len(text) > LIST_LENGTH_LIMIT:
                        message = f"is a list of over {LIST_LENGTH_LIMIT} characters. Save an object in each line."
                        raise refuse(self.name, message)
                    items = self._parsed(text, number)
                    for count, item in enumerate(items if isinstance(items, list) else [items]):
                        yield f"row {count + 1}", self._object(item, f"row {count + 1}")

    def _parsed(self, text: str, line: int) -> object:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            what = getattr(error, "msg", "too deep")
            raise refuse(self.name, f"is not JSON ({what}).", f"line {line}") from error

    def _object(self, value: object, place: str) -> dict[str, object]:
        if not isinstance(value, dict):
            raise refuse(self.name, f"must be an object of columns; this is {describe(value)}.", place)
        return value
