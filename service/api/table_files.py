"""Files as bodies of requests: CSV, Parquet, Arrow, JSON lines and spreadsheets, with fields as query parameters."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from starlette.datastructures import QueryParams

from service.errors import InvalidInput, Problem
from service.schemas.tables import RowsRequest
from service.tables.cells import Cells, Chunk, Table
from service.tables.memory import COLUMNS_LIMIT
from service.tables.reading import Format, ReadOptions, open_table
from service.tables.sources import open_content, refuse

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILES: dict[str, Format | None] = {
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.apache.arrow.file": "arrow",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/x-ndjson": "jsonl",
    EXCEL: "excel",
    "application/vnd.ms-excel": "excel",
    "application/vnd.oasis.opendocument.spreadsheet": "excel",
    "application/octet-stream": None,
}
"""Formats by content type; None is recognised by the first bytes, and last, as generated clients send the last one."""
CHARACTERS_LIMIT = 2**27
"""Characters of text that are read of a file, more than any body has that is not packed."""
BODY = "the body"
"""In messages."""
LISTS = {"features", "ignore", "keys", "missing", "quantiles", "explain"}
"""Parameters that may be repeated."""
PAIRS = {"kind": "kinds", "parameter": "parameters"}
"""Repeated parameters of a name and a value, `kind=zip:category`, by the field that they are."""
OPTIONS = ("separator", "encoding", "header", "sheet")
"""Parameters of the format."""
TEXT = {"type": "string"}
PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "target": (TEXT, "The column to predict."),
    "features": ({"type": "array", "items": TEXT}, "The columns to predict from; all others if left out."),
    "ignore": ({"type": "array", "items": TEXT}, "Columns that are not used."),
    "keys": ({"type": "array", "items": TEXT}, "Columns that name the rows."),
    "weight": (TEXT, "A column of numbers: how much each row counts."),
    "kind": ({"type": "array", "items": TEXT}, "A column and its kind, such as `zip:category`."),
    "task": (TEXT, "`regression` or `classification`; inferred if left out."),
    "decimal": (TEXT, "The decimal sign of numbers in text; inferred if left out."),
    "missing": ({"type": "array", "items": TEXT}, "A text that means that a cell is missing."),
    "model": (TEXT, "Name of the model."),
    "version": (TEXT, "Version of the model."),
    "parameter": ({"type": "array", "items": TEXT}, "A parameter of the model, such as `learning_rate:0.1`."),
    "interval": ({"type": "number"}, "The probability of an interval."),
    "quantiles": ({"type": "array", "items": {"type": "number"}}, "Probabilities of quantiles."),
    "nearest": ({"type": "integer"}, "How many rows like each predicted row to name."),
    "append": ({"type": "boolean"}, "Whether to return all columns as text."),
    "explain": ({"type": "array", "items": TEXT}, "`effects`: return the effect of each column."),
    "decay": (TEXT, "Of a new context, a number or `auto`."),
    "ttl": ({"type": "integer"}, "Of a new context, in seconds."),
    "like": (TEXT, "A context whose schema and scale to use."),
    "allow_precision_loss": ({"type": "boolean"}, "Whether earlier observations may lose digits."),
    "separator": (TEXT, "Of the cells of a text file; recognised if left out."),
    "encoding": (TEXT, "Of a text file; recognised if left out."),
    "header": ({"type": "boolean"}, "Whether the first row has the names of the columns; recognised if left out."),
    "sheet": (TEXT, "Of a spreadsheet; the first one with cells if left out."),
}
"""Query parameters of a file, with their types and descriptions."""


@dataclass(frozen=True)
class TableFile:
    """A file that was sent."""

    content: bytes
    options: ReadOptions


def names_of_parameters(model: type[RowsRequest]) -> list[str]:
    """Return the names of the query parameters for a file."""
    fields = {field.alias or name for name, field in model.model_fields.items()}
    return [name for name in PARAMETERS if PAIRS.get(name, name) in fields or name in OPTIONS]


def parameters_of(model: type[RowsRequest]) -> list[dict[str, Any]]:
    """Document the query parameters for a file, for OpenAPI."""
    return [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": f"With a file: {text}"}
        for name, (schema, text) in PARAMETERS.items()
        if name in names_of_parameters(model)
    ]


def fields_of(query: QueryParams, known: Collection[str], form: Format | None, charset: str) -> dict[str, Any]:
    """Read query parameters as the fields of a request; the field `options` is that of the file.

    Args:
        query: The parameters.
        known: Their possible names.
        form: Format of the file, if it is known.
        charset: Of its content type, if there is one.

    Raises:
        InvalidInput: A parameter is unknown, repeated or not valid; all problems at once.
    """
    fields: dict[str, Any] = {}
    problems = [
        Problem(name[:60], f"is no parameter of this address. Leave it out; it takes {', '.join(known)}.")
        for name in query
        if name not in known
    ]
    for name in (name for name in known if name in query):
        values = query.getlist(name)
        try:
            if name in PAIRS:
                fields[PAIRS[name]] = _pairs(values, float if name == "parameter" else str)
            elif name in LISTS:
                fields[name] = [float(value) for value in values] if name == "quantiles" else values
            elif len(values) > 1:
                problems.append(Problem(name, f"is there {len(values)} times. Send it once."))
            else:
                fields[name] = _value(name, values[0])
        except ValueError as error:
            problems.append(Problem(name, f"{error}."))
    options = {name: fields.pop(name) for name in OPTIONS if name in fields}
    if charset and "encoding" not in options:
        options["encoding"] = charset
    if problems:
        raise InvalidInput(*problems)
    options["decimal"] = fields.get("decimal")
    return {**fields, "options": ReadOptions(**options, missing=frozenset(fields.get("missing", ())), format=form)}


def refuse_parameters(query: QueryParams, names: Collection[str]) -> None:
    """Refuse the parameters for files where the body is no file.

    Raises:
        InvalidInput: One is there.
    """
    found = [name for name in dict.fromkeys(query) if name in names]
    if found:
        raise InvalidInput(*(Problem(name, "is a parameter for files. Put it into the body.") for name in found))


def _value(name: str, text: str) -> object:
    if name in {"header", "append", "allow_precision_loss"}:
        if text.lower() not in {"true", "false", "1", "0"}:
            raise ValueError(f"must be true or false; this is {text[:40]!r}")
        return text.lower() in {"true", "1"}
    if name == "interval" or (name == "decay" and text != "auto"):
        return float(text)
    if name in {"ttl", "nearest"}:
        return int(text)
    if name == "separator" and not text:
        raise ValueError("is empty; it must be one character")
    return text


def _pairs(values: list[str], convert: Callable[[str], object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for value in values:
        name, sign, last = value.rpartition(":")
        if not sign:
            raise ValueError(f"must be a name and a value with a colon between them; this is {value[:60]!r}")
        found[name] = convert(last)
    return found


@contextmanager
def open_rows(body: RowsRequest, rows: object, name: str, max_rows: int) -> Iterator[Table]:
    """Open a table of a request.

    Args:
        body: The request.
        rows: Its field with the table.
        name: Of the field.
        max_rows: Rows that are read of a file.

    Raises:
        InvalidInput: It cannot be read, or is too large.
    """
    if not isinstance(rows, TableFile):
        yield body.table_of(rows, name)
        return
    with open_content(rows.content, BODY) as opened:  # a body of some bytes may unpack to any number of them
        if opened.compressed:
            raise refuse(BODY, "is compressed. Send it unpacked.")
    with open_table(rows.content, BODY, rows.options) as table:
        if len(table.columns) > COLUMNS_LIMIT:
            raise refuse(BODY, f"has {len(table.columns)} columns. Send at most {COLUMNS_LIMIT}.")
        yield _LimitedTable(table, max_rows)


def digest_of(rows: object, table: Table) -> str:
    """Return the hash of a table: of the bytes of a file, or of the cells of JSON."""
    if isinstance(rows, TableFile):
        return sha256(rows.content + repr(rows.options).encode()).hexdigest()
    found = sha256()
    (chunk,) = table.chunks(table.columns)
    for name in sorted(chunk.cells):
        cells = chunk.cells[name]
        found.update(repr((name, cells.kind, cells.texts)).encode())
        found.update(np.ascontiguousarray(cells.values).tobytes())
    return found.hexdigest()


class _LimitedTable:
    """A table of which a limited number of rows and characters is read: a small file may have billions of equal ones.

    Characters are those of text, counted in each reading.
    """

    def __init__(self, table: Table, max_rows: int) -> None:
        self.name, self.columns, self.notes = table.name, table.columns, table.notes
        self._table, self._max_rows = table, max_rows

    @property
    def progress(self) -> float:
        return self._table.progress

    def chunks(self, columns: Collection[str], *, text: Collection[str] = (), whole: bool = False) -> Iterator[Chunk]:
        characters = 0
        for chunk in self._table.chunks(columns, text=text, whole=whole):
            characters += _characters(chunk)
            if characters > CHARACTERS_LIMIT:
                raise refuse(self.name, f"has more than {CHARACTERS_LIMIT} characters of text. Leave columns out.")
            if chunk.start + chunk.rows > self._max_rows:
                text_ = f"has more than {self._max_rows} rows (GDSSM_MAX_OBSERVATIONS and GDSSM_MAX_PREDICTIONS)."
                raise refuse(self.name, f"{text_} {COMMAND_LINE}")
            yield chunk

    def place(self, row: int) -> str:
        return self._table.place(row)


def _characters(chunk: Chunk) -> int:
    """Count the characters of text in the rows of a chunk; its bytes if it has all columns, to write them again."""
    if chunk.batch is not None:
        from service.tables.arrow_cells import text_bytes  # noqa: PLC0415  (pyarrow is an extra)

        return sum(map(text_bytes, chunk.batch.columns))
    return sum(_characters_of(cells) for cells in chunk.cells.values() if cells.texts)


def _characters_of(cells: Cells) -> int:
    lengths = np.array([len(text) for text in cells.texts])
    codes = cells.values
    return int(lengths[codes[codes >= 0]].sum())


COMMAND_LINE = "Send fewer rows; for larger files use the command line: gdssm predict FILE --target COLUMN."
"""The remedy for a file that is too large."""
