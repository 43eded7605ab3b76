"""Tables in files are read to columns, rows and cells."""

import io
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from service.errors import InvalidInput
from service.tables.cells import Cells
from service.tables.reading import ReadOptions, open_table
from service.tables.sources import Source
from tests.tables.workbooks import ods, xlsx

PLAIN = ReadOptions()


def plain(cells: Cells) -> list[Any]:
    """Write cells as Python values."""
    if cells.kind == "text":
        return [None if code < 0 else cells.texts[code] for code in cells.values]
    return [None if gap else value for value, gap in zip(cells.values.tolist(), cells.missing(), strict=True)]


def read(source: Source, options: ReadOptions = PLAIN, name: str = "t.csv") -> dict[str, list[Any]]:
    with open_table(source, name, options) as table:
        found: dict[str, list[Any]] = {column: [] for column in table.columns}
        for chunk in table.chunks(table.columns):
            for column, cells in chunk.cells.items():
                found[column] += plain(cells)
        assert table.progress == 1
    return found


def refusal(source: Source, options: ReadOptions = PLAIN) -> str:
    with pytest.raises(InvalidInput) as refused:
        read(source, options)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def in_parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    parquet.write_table(table, file)
    return file.getvalue()


def test_a_table_can_be_read_twice_and_rows_have_lines() -> None:
    text = b'# from a logger\na,b\n1,"x\ny"\n\n2,z\n'
    with open_table(text, "t.csv") as table:
        for _ in range(2):
            (chunk,) = table.chunks(["b"])
            assert plain(chunk.cells["b"]) == ["x\ny", "z"]
        assert [table.place(row) for row in (0, 1)] == ["line 3", "line 6"]


def test_rows_are_returned_whole_if_asked_for() -> None:
    with open_table(b"a,b\n01, x\n", "t.csv") as table:
        (chunk,) = table.chunks(["a"], whole=True)
        assert chunk.batch.to_pydict() == {"a": ["01"], "b": [" x"]}
        (chunk,) = table.chunks(["a"])
        assert chunk.batch is None


def test_a_column_stays_text_if_asked_for() -> None:
    with open_table(b"a,b\n1.0,2\n3,4\n", "t.csv") as table:
        (chunk,) = table.chunks(["a", "b"], text={"a"})
        assert (plain(chunk.cells["a"]), plain(chunk.cells["b"])) == (["1.0", "3"], [2.0, 4.0])


def test_types_of_parquet_become_kinds_of_cells() -> None:
    table = pa.table(
        {
            "integer": pa.array([1, None, 3]),
            "decimal": pa.array([1.5, None, 2]).cast(pa.decimal128(4, 2)),
            "boolean": pa.array([True, None, False]),
            "time": pa.array([0, None, 86_400_000_000_000], pa.timestamp("ns", "Europe/Berlin")),
            "day": pa.array([0, None, 1], pa.date32()),
            "text": pa.array(["x", None, " NA "]).dictionary_encode(),
            "clock": pa.array([3661, None, 0], pa.time32("s")),
            "span": pa.array([1500, None, 0], pa.duration("ms")),
            "nothing": pa.nulls(3),
        }
    )
    epoch, day = np.array([0, 86_400_000_000], "datetime64[us]").tolist()
    assert read(in_parquet(table)) == {
        "integer": [1.0, None, 3.0],
        "decimal": [1.5, None, 2.0],
        "boolean": [1.0, None, 0.0],
        "time": [epoch, None, day],
        "day": [epoch, None, day],
        "text": ["x", None, None],
        "clock": ["01:01:01", None, "00:00:00"],
        "span": [1.5, None, 0.0],
        "nothing": [None, None, None],
    }


def test_nested_columns_are_left_out() -> None:
    data = in_parquet(pa.table({"a": [1, 2], "b": [[1], [2]]}))
    with open_table(data, "t.parquet") as table:
        assert table.columns == ("a",)
        assert table.notes == ("column 'b' holds lists or objects, so it is left out",)
        assert [plain(chunk.cells["a"]) for chunk in table.chunks(["a"])] == [[1.0, 2.0]]


def test_an_arrow_file_and_a_stream_are_read() -> None:
    table = pa.table({"a": [1, 2]})
    for new in (pa.ipc.new_file, pa.ipc.new_stream):
        file = io.BytesIO()
        with new(file, table.schema) as writer:
            writer.write_table(table)
        assert read(file.getvalue()) == {"a": [1.0, 2.0]}


def test_paths_and_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,2\n")
    with path.open("rb") as file:
        assert read(path) == read(str(path)) == read(file) == {"a": [1.0], "b": [2.0]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "t.csv: is empty. It needs a header and at least one row."),
        (b"\n \n", "t.csv: is empty. It needs a header and at least one row."),
        (b"a,b\n", "t.csv: has a header and no rows. It needs at least one."),
        (b'a,b\n1,2\n3,"4\n', "t.csv: is not CSV (its last quoted cell has no end)."),
        (b"<!DOCTYPE html>\n<html>", "t.csv: is an HTML page, not a table. Download the file that the page shows."),
        (b"%PDF-1.7\n", "t.csv: is a PDF document, not a table that is read here. Save it as CSV or Parquet."),
        (bytes(range(32)) * 9, "t.csv: is not a table: it holds binary data."),
    ],
)
def test_what_is_no_table_is_refused_by_name(text: bytes, message: str) -> None:
    assert refusal(text) == message


def test_a_row_with_too_many_cells_is_refused_with_its_line() -> None:
    assert refusal(b"a,b\n1,2\n3,4,5\n").startswith("t.csv, line 3: has 3 cells; the header has 2: '3,4,5'.")


def test_too_many_columns_are_refused() -> None:
    with (
        pytest.raises(InvalidInput, match="has 3 columns"),
        open_table(b"a,b,c\n1,2,3\n", "t", max_columns=2),
    ):
        pass


WORKBOOK = xlsx(
    {
        "Empty": [],
        "A b": [
            ["Report 2024"],
            [],
            ["t", "n", "ok", "mixed"],
            [datetime(2024, 1, 2, 3, 4), 1, True, 1],  # noqa: DTZ001
            [],
            [None, 2.5, False, " NA "],
            [datetime(2024, 1, 3), 3, None, "y"],  # noqa: DTZ001
        ],
    },
    first="B3",
)


def test_the_first_sheet_with_cells_is_read_below_its_title() -> None:
    times = np.array(["2024-01-02T03:04", "2024-01-03"], "M8[us]").tolist()
    assert read(WORKBOOK) == {
        "t": [times[0], None, times[1]],
        "n": [1.0, 2.5, 3.0],
        "ok": [1.0, 0.0, None],
        "mixed": ["1", None, "y"],
    }
    with open_table(WORKBOOK, "t.xlsx") as table:
        assert [table.place(row) for row in (0, 2)] == ["sheet 'A b', row 6", "sheet 'A b', row 9"]
        assert table.notes == ("1 row before the header left out, the first is 'Report 2024'",)


def test_an_unknown_sheet_is_refused_with_the_names_of_the_others() -> None:
    assert refusal(WORKBOOK, ReadOptions(sheet="C")).startswith("t.csv: has no sheet 'C'; it has 'Empty', 'A b'.")


def test_an_ods_is_read() -> None:
    assert read(ods([["a", "b"], [1, "x"], [2.5, None]])) == {"a": [1.0, 2.5], "b": ["x", None]}


def test_a_small_spreadsheet_of_billions_of_cells_is_refused() -> None:
    assert read(xlsx({"A": [["a"], [1]]}, first="Z1000000")) == {"a": [1.0]}
    assert "over 33554432 cells" in refusal(xlsx({"A": [["a"], [1]]}, far=True))
    assert "over 33554432 cells" in refusal(ods([["a"], [1]], repeated=10**9))


def test_json_lines_are_read_with_names_that_come_later() -> None:
    text = b'{"a": 1, "b": "x"}\n\n{"a": null, "c": true}\n'
    assert read(text) == {"a": [1.0, None], "b": ["x", None], "c": [None, 1.0]}
    assert read(b'[{"a": 1},\n {"a": 2.5}]') == {"a": [1.0, 2.5]}
    with open_table(text, "t.jsonl") as table:
        assert table.place(1) == "line 3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a": 1}\n{"a" 1}\n', "t.csv, line 2: is not JSON (Expecting ':' delimiter)."),
        (b'{"a": 1}\n3\n', "t.csv, line 2: must be an object of columns; this is a number."),
        (b'{"a": [1], "b": 2}\n', "t.csv, column 'a': has a list in a cell. Send numbers, texts, booleans or null."),
        (b'{"a": 1' + b"0" * 400 + b"}\n", "t.csv, column 'a': has a too large number in a cell."),
    ],
)
def test_json_that_is_no_table_is_refused(text: bytes, message: str) -> None:
    assert refusal(text).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",".join(map(str, range(10**6))) + "\n1\n", "a row of 1000000 cells; at most 10000 columns are read"),
        ("," * 10**6 + "\n" * 3 + "1\n2\n", "a row of 1000001 cells"),
        (("1" + "\t" * 10**6 + "\n") * 2, "a row of 1000001 cells"),
        ('""' + "," * 10**6 + "\n1\n2\n", "a row of 1000001 cells"),
        ("a,y\n1,2\n" + "," * 10**6 + "\n1,2\n", "a row of 1000001 cells"),
        ("\t" * 10**5 + "\n", "is empty"),
        ("a" * 3000 + ",y\n1,2\n2,3\n", "a column with a name of 3000 characters, 'aaaa"),
    ],
)
def test_wide_tables_and_long_names_are_refused_at_once(text: str, message: str) -> None:
    begin = time.monotonic()
    with pytest.raises(InvalidInput, match=message), open_table(text.encode(), "the body"):
        pass
    assert time.monotonic() - begin < 5


def test_cells_may_hold_many_of_the_other_separators() -> None:
    text = "a;y\n" + "".join(f"{',' * 20_000};{i}\n" for i in range(3))
    with open_table(text.encode(), "the body") as table:
        assert table.columns == ("a", "y")
