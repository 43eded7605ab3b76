"""Writes small spreadsheets for tests: xlsx and ods, with the few parts that readers need."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.sax.saxutils import escape

Cell = str | float | bool | datetime | None
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  (spreadsheets know no zones)
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def xlsx(sheets: Mapping[str, Sequence[Sequence[Cell]]], *, first: str = "A1", far: bool = False) -> bytes:
    """Write a workbook.

    Args:
        sheets: Rows, by name.
        first: The place of the first cell of each sheet, a letter and a number.
        far: Whether to add the last cell that a sheet may have.
    """
    last = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>' if far else ""
    numbers = range(1, len(sheets) + 1)
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{TYPES}.worksheet+xml"/>' for n in numbers
    )
    parts = {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/>{kinds}'
            f'<Override PartName="/xl/styles.xml" ContentType="{TYPES}.styles+xml"/></Types>'
        ),
        "_rels/.rels": _relations({"rId1": ("officeDocument", "xl/workbook.xml")}),
        "xl/_rels/workbook.xml.rels": _relations(
            {f"rId{n}": ("worksheet", f"worksheets/sheet{n}.xml") for n in numbers} | {"rId0": ("styles", "styles.xml")}
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>'
            + "".join(
                f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>'
                for n, name in zip(numbers, sheets, strict=True)
            )
            + "</sheets></workbook>"
        ),
        "xl/styles.xml": (
            f'<styleSheet xmlns="{MAIN}">'
            '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>'
        ),
    }
    for n, rows in zip(numbers, sheets.values(), strict=True):
        parts[f"xl/worksheets/sheet{n}.xml"] = (
            f'<worksheet xmlns="{MAIN}"><sheetData>{_rows(rows, first)}{last}</sheetData></worksheet>'
        )
    return _zip(parts)


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    items = "".join(
        f'<Relationship Id="{key}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{items}</Relationships>'
    )


def _rows(rows: Sequence[Sequence[Cell]], first: str) -> str:
    column, top = ord(first[0]), int(first[1:])
    return "".join(
        f'<row r="{top + number}">'
        + "".join(_cell(f"{chr(column + place)}{top + number}", cell) for place, cell in enumerate(row))
        + "</row>"
        for number, row in enumerate(rows)
    )


def _cell(at: str, value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{at}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, datetime):
        days = (value - EPOCH).total_seconds() / 86400
        return f'<c r="{at}" s="1"><v>{days!r}</v></c>'
    if isinstance(value, float | int):
        return f'<c r="{at}"><v>{value!r}</v></c>'
    return f'<c r="{at}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def ods(rows: Sequence[Sequence[Cell]], *, repeated: int = 1) -> bytes:
    """Write an OpenDocument spreadsheet of text and numbers; each cell of the last row is repeated in its row."""
    body = ""
    for row in rows:
        count = repeated if row is rows[-1] else 1
        body += f"<table:table-row>{''.join(_ods_cell(cell, count) for cell in row)}</table:table-row>"
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        f'<office:body><office:spreadsheet><table:table table:name="A">{body}'
        '<table:table-row table:number-rows-repeated="1048000">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    return _zip(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": manifest,
            "content.xml": content,
        }
    )


def _ods_cell(value: Cell, repeated: int) -> str:
    many = f' table:number-columns-repeated="{repeated}"' if repeated > 1 else ""
    if value is None:
        return f"<table:table-cell{many}/>"
    if isinstance(value, float | int):
        return f'<table:table-cell office:value-type="float" office:value="{value!r}"{many}/>'
    return (
        f'<table:table-cell office:value-type="string"{many}><text:p>{escape(str(value))}</text:p></table:table-cell>'
    )


def _zip(parts: Mapping[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file.getvalue()
