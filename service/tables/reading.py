"""Reading tables as people have them: CSV and its relatives, Parquet, Arrow, spreadsheets, JSON lines."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from service.tables.cells import Table
from service.tables.extra import needed
from service.tables.schema import TEXT_LENGTH_LIMIT
from service.tables.sources import Content, Source, open_content, refuse
from service.tables.text import MISSING, Decimal

Format = Literal["csv", "parquet", "arrow", "excel", "jsonl"]

PARQUET, ARROW, ARROW_STREAM, OLD_FEATHER = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"
OLD_EXCEL, ZIP = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
OTHERS: dict[bytes, str] = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "an array of numpy",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    OLD_FEATHER: "a Feather file of version 1",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"{\\rtf": "a text document",
    b"\x1f\x8b": "compressed twice",
}
"""Formats that are refused by name."""
JSON = re.compile(rb"[\xef\xbb\xbf\x1e\s]*(?:\{|\[\s*\{)")


@dataclass(frozen=True)
class ReadOptions:
    """The part of a format that can be given if it is not recognised."""

    separator: str | None = None
    """Of the cells of a text file."""
    decimal: Decimal | None = None
    """The decimal sign of numbers in text; recognised if None."""
    encoding: str | None = None
    """Of a text file, as Python names it."""
    header: bool | None = None
    """Whether the first row has the names of the columns."""
    missing: frozenset[str] = frozenset()
    """Texts that mean that a cell is missing, in addition to `text.MISSING`."""
    sheet: str | None = None
    """Of a spreadsheet; the first one with cells if None."""
    format: Format | None = None


@contextmanager
def open_table(
    source: Source, name: str, options: ReadOptions = ReadOptions(), *, max_columns: int | None = None
) -> Iterator[Table]:
    """Open a table, which can be read until it is closed.

    Args:
        source: A path, `-` for the standard input, bytes, or a binary file. A pipe is copied to a temporary file.
        name: Of the table, in messages.
        options: The part of the format that is known.
        max_columns: Limit on the number of columns.

    Raises:
        InvalidInput: It cannot be read, is not a table, or has too many columns.
    """
    with open_content(source, name) as content:
        table = table_of(content, options)
        if max_columns is not None:
            check_width(table, max_columns)
        _check_names(table)
        yield table


def check_width(table: Table, max_columns: int) -> None:
    """See that a table has not too many columns.

    Raises:
        InvalidInput: It has.
    """
    if len(table.columns) > max_columns:
        what = f"has {len(table.columns)} columns. Send at most {max_columns} (GDSSM_MAX_COLUMNS)."
        raise refuse(table.name, what)


def _check_names(table: Table) -> None:
    for name in table.columns:
        if len(name) > TEXT_LENGTH_LIMIT:
            what = f"has a column with a name of {len(name)} characters, {name[:40]!r}"
            raise refuse(table.name, f"{what}; at most {TEXT_LENGTH_LIMIT} are read. Rename it.")


def table_of(content: Content, options: ReadOptions, *, row_groups: Sequence[int] | None = None) -> Table:
    """Make a table of bytes.

    Args:
        content: The bytes.
        options: The part of the format that is known.
        row_groups: The part of a Parquet file that is read; all if left out.

    Raises:
        InvalidInput: They cannot be read, or are no table.
    """
    if not content.head:
        raise refuse(content.name, "is empty. It needs a header and at least one row.")
    form, missing = options.format or recognise_format(content), MISSING | options.missing
    needed("pyarrow", f"Reading {content.name}")
    if form in {"parquet", "arrow"}:
        if content.compressed:
            raise refuse(content.name, f"is a compressed {form} file. Unpack it first.")
        from service.tables.arrow_files import ArrowTable  # noqa: PLC0415  (pyarrow is an extra)

        return ArrowTable(content, form, missing, row_groups)
    if form == "excel":
        needed("python_calamine", f"Reading {content.name}")
        from service.tables.spreadsheet import SpreadsheetTable  # noqa: PLC0415  (calamine is an extra)

        return SpreadsheetTable(content, sheet=options.sheet, header=options.header, missing=missing)
    if form == "jsonl":
        from service.tables.json_lines import JsonLinesTable  # noqa: PLC0415  (pyarrow is an extra)

        return JsonLinesTable(content, encoding=options.encoding, missing=missing)
    from service.tables.csv_file import TextTable  # noqa: PLC0415  (pyarrow is an extra)

    return TextTable(
        content,
        separator=options.separator,
        encoding=options.encoding,
        header=options.header,
        decimal=options.decimal,
        missing=missing,
    )


def recognise_format(content: Content) -> Format:
    """Recognise a format by its first bytes, or else by its name.

    Raises:
        InvalidInput: It is a format that is not read.
    """
    head = content.head
    for magic, what in OTHERS.items():
        if head.startswith(magic):
            raise refuse(content.name, f"is {what}, not a table that is read here. Save it as CSV or Parquet.")
    if head.startswith(PARQUET):
        return "parquet"
    if head.startswith((ARROW, ARROW_STREAM)):
        return "arrow"
    if head.startswith((OLD_EXCEL, ZIP)):
        return "excel"
    if JSON.match(head):
        return "jsonl"
    return "jsonl" if {".jsonl", ".ndjson"} & set(PurePath(content.name).suffixes) else "csv"
