"""The size of a spreadsheet, before it is in memory: a small file may have billions of cells."""

import re
import zipfile

from service.tables.sources import refuse

UNPACKED_LIMIT = 2**28
"""Bytes of a spreadsheet without compression."""
CELLS_LIMIT = 2**25
"""Cells of the rectangle that holds all cells of a sheet; calamine allocates all of them."""

REFERENCE = re.compile(rb'<(?:\w+:)?(?:c|row) [^>]*?\br="([A-Z]{0,3})([0-9]{1,7})"')
ROW_OF_ODS = re.compile(rb"<table:table-row\b([^>]*)>(.*?)(?=<table:table-row\b|</table:table>)", re.DOTALL)
CELL_OF_ODS = re.compile(rb"<table:(?:covered-)?table-cell\b([^>]*)>")
REPEATED_ROWS = re.compile(rb'table:number-rows-repeated="([0-9]+)"')
REPEATED_COLUMNS = re.compile(rb'table:number-columns-repeated="([0-9]+)"')


def check_size(archive: zipfile.ZipFile, name: str) -> None:
    """Check an xlsx or ods.

    Args:
        archive: The file.
        name: Of the table, in messages.

    Raises:
        InvalidInput: It is too large, or an xlsb, whose size is not checked.
    """
    parts = archive.infolist()
    if "xl/workbook.bin" in archive.namelist():
        raise refuse(name, "is a binary workbook (xlsb). Save it as xlsx or CSV.")
    if sum(part.file_size for part in parts) > UNPACKED_LIMIT:
        raise refuse(name, f"has over {UNPACKED_LIMIT >> 20} MiB without compression. Save it as CSV.")
    for part in parts:
        size = _rectangle_of_ods if part.filename == "content.xml" else _rectangle
        if part.filename.endswith(".xml") and size(archive.read(part)) > CELLS_LIMIT:
            raise refuse(name, f"has a cell so far away that a sheet has over {CELLS_LIMIT} cells. Save it as CSV.")


def _rectangle(xml: bytes) -> int:
    """Return the number of cells of a sheet of an xlsx, from A1 on."""
    columns, rows = 1, 1
    for letters, row in REFERENCE.findall(xml):
        rows = max(rows, int(row))
        column = 0
        for letter in letters:
            column = 26 * column + letter - 64
        columns = max(columns, column)
    return columns * rows


def _rectangle_of_ods(xml: bytes) -> int:
    """Return the number of cells of all sheets of an ods, as if each was as wide as the widest."""
    width, rows, empty = 0, 0, 0
    for attributes, cells in ROW_OF_ODS.findall(xml):
        filled = _width(cells)
        count = _repeated(REPEATED_ROWS, attributes)
        empty += count  # counts if a filled one follows
        if filled:
            width, rows, empty = max(width, filled), rows + empty, 0
    return width * rows


def _width(cells: bytes) -> int:
    """Return the number of cells up to the last one with a value."""
    place, filled = 0, 0
    for attributes in CELL_OF_ODS.findall(cells):
        place += _repeated(REPEATED_COLUMNS, attributes)
        if b"office:" in attributes or b"formula" in attributes:
            filled = place
    return filled


def _repeated(attribute: re.Pattern[bytes], attributes: bytes) -> int:
    found = attribute.search(attributes)
    return int(found[1]) if found else 1
