"""Spreadsheets: xlsx, xls and ods, one sheet of them."""

import zipfile
from collections.abc import Collection, Iterator, Set
from datetime import date, datetime, time, timedelta

import python_calamine as calamine

from service.tables.cells import Chunk, text_of
from service.tables.header import ROWS as SAMPLE_ROWS
from service.tables.header import count_titles, has_header, name_columns, usual_width
from service.tables.sources import ZIP, Content, refuse
from service.tables.spreadsheet_size import check_size
from service.tables.value_chunks import ROWS, chunk_of

Value = str | float | int | bool | date | datetime | time | timedelta


class SpreadsheetTable:
    """A sheet.

    Args:
        content: The bytes of the file.
        sheet: Its name; the first visible one with cells if None.
        header: Whether the first row has the names; recognised if None.
        missing: Texts that mean that a cell is missing.

    Raises:
        InvalidInput: It cannot be read, or has no table.
    """

    def __init__(self, content: Content, *, sheet: str | None, header: bool | None, missing: Set[str]) -> None:
        self.name, self._missing = content.name, missing
        self._progress = 0.0
        self._sheet, first, rows = _rows(content, sheet)
        filled = [(first + count, row) for count, row in enumerate(rows) if any(cell != "" for cell in row)]
        del rows
        sample = [[_text(cell) for cell in row] for _, row in filled[: SAMPLE_ROWS + 20]]
        titles = count_titles(sample, usual_width(sample))
        notes = []
        if titles:
            shown = " ".join(filter(None, sample[0]))[:60]
            notes.append(f"{titles} row{'s' * (titles > 1)} before the header left out, the first is {shown!r}")
        filled, sample = filled[titles:], sample[titles:]
        if has_header(sample) if header is None else header:
            names, sample, filled = sample[0], sample[1:], filled[1:]
        else:
            names = [f"column_{place + 1}" for place in range(len(sample[0]))]
            notes.append("no header, so the columns are column_1, column_2 …")
        if not filled:
            raise refuse(self.name, "has a header and no rows. It needs at least one.", f"sheet {self._sheet!r}")
        names, hidden, more = name_columns(names, sample)
        self.notes = (*notes, *more)
        self._places = {name: place for place, name in enumerate(names) if name not in hidden}
        self.columns = tuple(self._places)
        self._numbers = [number for number, _ in filled]
        self._rows = [row for _, row in filled]

    @property
    def progress(self) -> float:
        """The part of the rows that the present reading has passed, from 0 to 1."""
        return self._progress

    def chunks(self, columns: Collection[str], *, text: Collection[str] = (), whole: bool = False) -> Iterator[Chunk]:
        """Read rows; see `Table.chunks`."""
        for start in range(0, len(self._rows), ROWS):
            rows = self._rows[start : start + ROWS]
            values = {
                name: [None if row[self._places[name]] == "" else row[self._places[name]] for row in rows]
                for name in (self.columns if whole or not columns else columns)
            }
            yield chunk_of(start, values, columns, text=text, whole=whole, missing=self._missing, name=self.name)
            self._progress = (start + len(rows)) / len(self._rows)

    def place(self, row: int) -> str:
        """Say where a row is."""
        return f"sheet {self._sheet!r}, row {self._numbers[row]}"


def _rows(content: Content, sheet: str | None) -> tuple[str, int, list[list[Value]]]:
    """Return the name of a sheet, the number of its first row from 1, and its rows of equal length."""
    with content.open_packed() as file:
        if content.head.startswith(ZIP):
            check_size(zipfile.ZipFile(file), content.name)
            file.seek(0)
        try:
            book = calamine.CalamineWorkbook.from_filelike(file)
            if sheet is not None and sheet not in book.sheet_names:
                listed = ", ".join(map(repr, book.sheet_names[:20]))
                raise refuse(content.name, f"has no sheet {sheet!r}; it has {listed}. Name one of them (--sheet).")
            visible = [one.name for one in book.sheets_metadata if one.visible == calamine.SheetVisibleEnum.Visible]
            for name in visible if sheet is None else [sheet]:
                found = book.get_sheet_by_name(name)
                if found.start is not None and found.height:
                    return name, found.start[0] + 1, found.to_python(skip_empty_area=True)
        except calamine.PasswordError as error:
            raise refuse(content.name, "is encrypted. Save it without a password.") from error
        except calamine.CalamineError as error:
            raise refuse(content.name, f"is not a spreadsheet that can be read ({error}).") from error
    raise refuse(content.name, "is empty. It needs a header and at least one row.")


def _text(value: Value) -> str:
    return text_of(value if isinstance(value, str | float | int) else str(value).removesuffix(" 00:00:00")) or ""
