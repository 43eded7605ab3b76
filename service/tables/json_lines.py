"""JSON lines: an object in each line, from names to values; or one list of objects."""

import io
import json
import re
from collections.abc import Collection, Iterator, Set
from contextlib import closing

from service.numbers import describe
from service.tables.cells import Chunk
from service.tables.memory import COLUMNS_LIMIT
from service.tables.sources import Content, refuse
from service.tables.text_stream import TextStream
from service.tables.value_chunks import ROWS, chunk_of

CELLS = 2**22
"""Cells of a chunk, at most."""
LINE_LENGTH_LIMIT = 2**23
"""Characters of one line."""
LIST_LENGTH_LIMIT = 2**26
"""Characters of one list of objects, which is in memory as a whole."""


MARKS = "\x1e \t\r\n"
"""White space around an object, and the mark before it in a JSON text sequence."""
TRAILING_COMMA = re.compile(r",\s*\]\s*$")


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
            if len(names) > COLUMNS_LIMIT:
                raise refuse(self.name, f"has more than {COLUMNS_LIMIT} columns. Send those that are needed.")
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
        rows = max(1, min(ROWS, CELLS // len(wanted)))
        for last, record in self._with_end():
            if record is not None:
                records.append(record)
            if len(records) == rows or (last and records):
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
                line, number, objects = file.readline(LINE_LENGTH_LIMIT), 0, 0
                while line:
                    number += 1
                    self._progress = reading.progress
                    text = line.strip(MARKS)
                    if not objects and (text.startswith("[") or text == "{"):
                        yield from self._document(line + file.read(LIST_LENGTH_LIMIT), number)
                        return
                    if len(line) == LINE_LENGTH_LIMIT:
                        raise refuse(self.name, f"has over {LINE_LENGTH_LIMIT} characters.", f"line {number}")
                    following, place = file.readline(LINE_LENGTH_LIMIT), f"line {number}"
                    if text:
                        objects += 1
                        value = self._parsed(text.rstrip(","), number)
                        for item in [value] if following or objects > 1 else _rows(value):
                            yield place, self._object(item, place)
                    line = following

    def _document(self, text: str, line: int) -> Iterator[tuple[str, dict[str, object]]]:
        """Yield the objects of one value that is the whole file."""
        if len(text) > LIST_LENGTH_LIMIT:
            message = f"is a list of over {LIST_LENGTH_LIMIT} characters. Save an object in each line."
            raise refuse(self.name, message)
        found = self._parsed(TRAILING_COMMA.sub("]", text), line)
        for count, item in enumerate(_rows(found)):
            yield f"row {count + 1}", self._object(item, f"row {count + 1}")

    def _parsed(self, text: str, line: int) -> object:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            deep = isinstance(error, RecursionError)
            what = "too deep" if deep else getattr(error, "msg", "a number has too many digits")
            raise refuse(self.name, f"is not JSON ({what}).", f"line {line}") from error

    def _object(self, value: object, place: str) -> dict[str, object]:
        if not isinstance(value, dict):
            raise refuse(self.name, f"must be an object of columns; this is {describe(value)}.", place)
        return value


def _rows(value: object) -> list[object]:
    """Return the rows of a value: its items, columns as rows, the only list of objects in it, or itself."""
    if isinstance(value, list):
        return value
    lists = [item for item in value.values() if isinstance(item, list)] if isinstance(value, dict) else []
    objects = [item for item in lists if _are_objects(item)]
    if isinstance(value, dict) and lists and not objects and len(lists) == len(value) and len({*map(len, lists)}) == 1:
        return [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]
    return list(objects[0]) if len(objects) == 1 else [value]


def _are_objects(values: list[object]) -> bool:
    return bool(values) and all(isinstance(value, dict) for value in values)
