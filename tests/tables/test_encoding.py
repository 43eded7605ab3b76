"""Rows of a table become x and y."""

import numpy as np
import pytest

from service.errors import InvalidInput
from service.tables.cells import Chunk
from service.tables.encoding import Findings, observations, queries, with_later_levels
from service.tables.memory import MemoryTable, table_of_columns, table_of_records
from service.tables.predicting import infer_schema
from service.tables.reading import ReadOptions, open_table
from service.tables.requested import Requested
from service.tables.schema import ColumnSchema, TableSchema
from service.tables.summary import DAY

NUMBER = ColumnSchema("y", "number")


def chunk_of(table: MemoryTable) -> Chunk:
    (chunk,) = table.chunks(table.columns)
    return chunk


def encoded(column: ColumnSchema, *values: object) -> tuple[list[list[float]], Findings]:
    """Make queries of the values of one column."""
    found = Findings()
    x = queries(TableSchema((column,), NUMBER), chunk_of(table_of_columns({column.name: values}, "query")), found)
    return x.tolist(), found


def test_numbers_with_gaps() -> None:
    x, found = encoded(ColumnSchema("a", "number"), "1,200", "12 %", None, "?", "unknown")
    np.testing.assert_array_equal(x, [[1200.0], [12.0], [np.nan], [np.nan], [np.nan]])
    assert [(one.column, one.what, one.cells, one.example, one.row) for one in found] == [
        ("a", "unreadable", 1, "unknown", 4)
    ]


def test_numbers_with_decimal_comma() -> None:
    x, _ = encoded(ColumnSchema("a", "number", decimal=","), "1.200,5", "3,25", "7")
    assert x == [[1200.5], [3.25], [7.0]]


def test_number_that_overflows_is_unreadable() -> None:
    x, found = encoded(ColumnSchema("a", "number"), "1e999", "1", "2", "3")
    assert np.isnan(x[0][0])
    assert [one.what for one in found] == ["unreadable"]


def test_yes_and_no() -> None:
    assert encoded(ColumnSchema("a", "yes_no"), "yes", "No", "1")[0] == [[1.0], [0.0], [1.0]]
    assert encoded(ColumnSchema("a", "yes_no"), True, False)[0] == [[1.0], [0.0]]
    assert encoded(ColumnSchema("a", "yes_no"), 1, 0)[0] == [[1.0], [0.0]]


def test_levels_other_and_missing() -> None:
    column = ColumnSchema("a", "category", levels=("x", "z"), other=True, missing=True)
    x, found = encoded(column, "z", "new", None, "x")
    assert x == [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]]
    assert not list(found)


def test_new_level_is_zeros_and_reported() -> None:
    x, found = encoded(ColumnSchema("a", "category", levels=("x", "z")), "z", "new", None)
    assert x == [[0, 1], [0, 0], [0, 0]]
    assert [(one.what, one.example, one.row) for one in found] == [("new_level", "new", 1)]


def test_numbers_as_levels() -> None:
    assert encoded(ColumnSchema("a", "category", levels=("1", "2.5")), 2.5, 1, 1.0)[0] == [[0, 1], [1, 0], [1, 0]]


def test_parts_of_times() -> None:
    column = ColumnSchema("a", "time", date_format="year-month-day", start=DAY, parts=("elapsed", "time_of_day"))
    x, _ = encoded(column, "1970-01-02 00:00", "1970-01-03 06:00", None)
    np.testing.assert_allclose(np.array(x), np.array([[0, 0, 1], [1.25, 1, 0], [np.nan] * 3]), atol=1e-12)


def test_dates_that_are_integers() -> None:
    column = ColumnSchema("a", "time", date_format="digits", parts=("elapsed",))
    x, found = encoded(column, 19700102, 19700201, 3)
    np.testing.assert_array_equal(x, [[1.0], [31.0], [np.nan]])
    assert [one.what for one in found] == ["unreadable"]


@pytest.mark.parametrize("part", ["day_of_week", "day_of_year"])
def test_cyclic_parts_return(part: str) -> None:
    column = ColumnSchema("a", "time", date_format="year-month-day", parts=(part,))  # type: ignore[arg-type]
    later = {"day_of_week": "2020-03-11", "day_of_year": "2424-03-04"}[part]
    x, _ = encoded(column, "2020-03-04", later)
    np.testing.assert_allclose(x[0], x[1], atol=0.02)


def test_later_levels_are_the_last_columns() -> None:
    schema = TableSchema((ColumnSchema("a", "category", levels=("x",)), ColumnSchema("b", "number")), NUMBER)
    chunk = chunk_of(table_of_records([{"a": "new", "b": 3, "y": 1}, {"a": "x", "b": 4, "y": 2}], "rows"))
    schema = with_later_levels(schema, chunk)
    assert schema.x_columns == ("a=x", "b", "a=new")
    assert schema.levels == (0, 2)
    rows = observations(schema, chunk, Findings())
    assert rows.x.tolist() == [[0, 3, 1], [1, 4, 0]]
    assert rows.y.tolist() == [1, 2]


def test_later_levels_stop_at_the_limit() -> None:
    column = ColumnSchema("a", "category", levels=tuple(f"{i}" for i in range(31)))
    table = table_of_columns({"a": ["p", "q"], "y": [1, 2]}, "rows")
    assert with_later_levels(TableSchema((column,), NUMBER), chunk_of(table)).later == (("a", "p"),)
    other = TableSchema((ColumnSchema("a", "category", levels=("x",), other=True),), NUMBER)
    assert with_later_levels(other, chunk_of(table)) == other


def test_rows_whose_target_cannot_be_read_are_left_out_and_reported() -> None:
    table = table_of_columns({"a": [1, 2, 3, 4], "y": ["5", "oops", None, "7"], "w": [1, 2, 3, 4]}, "rows")
    found = Findings()
    rows = observations(TableSchema((ColumnSchema("a", "number"),), NUMBER), chunk_of(table), found, "w")
    assert (rows.x.tolist(), rows.y.tolist(), rows.places.tolist()) == ([[1], [4]], [5, 7], [0, 3])
    assert rows.weight is not None
    assert rows.weight.tolist() == [1, 4]
    assert [(one.what, one.example, one.row) for one in found] == [("target", "oops", 1)]


def test_places_of_findings_are_those_of_the_table() -> None:
    table = table_of_columns({"a": [1, 2, 3, "oops"], "y": [None, 6, None, 7]}, "rows")
    found = Findings()
    observations(TableSchema((ColumnSchema("a", "number"),), NUMBER), chunk_of(table), found)
    assert [one.row for one in found] == [3]


def test_classes_are_one_hot() -> None:
    table = table_of_columns({"a": [1, 2, 3], "y": ["red", "blue", "green"]}, "rows")
    target = ColumnSchema("y", "category", levels=("blue", "red"))
    rows = observations(TableSchema((ColumnSchema("a", "number"),), target), chunk_of(table), Findings())
    assert rows.y.tolist() == [[0, 1], [1, 0]]


def test_column_of_another_type_is_refused() -> None:
    table = table_of_columns({"a": ["red", "blue"]}, "query")
    with pytest.raises(InvalidInput, match=r"column 'a', query\[0\]: holds numbers in the context and 'red' here"):
        queries(TableSchema((ColumnSchema("a", "number"),), NUMBER), chunk_of(table), Findings(), table.place)


def test_records_may_lack_columns() -> None:
    chunk = chunk_of(table_of_records([{"a": 1}, {"b": "x"}, {"a": 2, "b": "z"}], "rows"))
    np.testing.assert_array_equal(chunk.cells["a"].values, [1, np.nan, 2])
    assert chunk.cells["b"].missing().tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "has no rows"),
        ([1], r"rows\[0\]: must be an object"),
        ([{"a": [1]}], r"rows\[0\].a: must be a finite number"),
        ([{"a": 1}, {"a": float("inf")}], r"rows\[1\].a: must be a finite number"),
        ([{"a": 10**400}], r"rows\[0\].a: must be a finite number"),
    ],
)
def test_records_that_are_none_are_refused(rows: list[object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        table_of_records(rows, "rows")


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(InvalidInput, match="1 rows in column 'a' and 2 in 'b'"):
        table_of_columns({"a": [1], "b": [1, 2]}, "rows")


RECOGNISED = ReadOptions()
WITH_POINTS = ["950", "1.234", "2.100", "3.456", "4.567", "12"]
WITH_COMMAS = ["1", "2,5", "3", "4,25", "5", "6"]


def read(text: str, options: ReadOptions = RECOGNISED, schema: TableSchema | None = None) -> list[float]:
    """Infer the schema of a text file, unless there is one, and read its only feature."""
    with open_table(text.encode(), "t.csv", options) as table:
        schema = schema or infer_schema(table, Requested("y", decimal=options.decimal))
        (chunk,) = table.chunks(schema.feature_names, text=schema.text_columns)
        return [*queries(schema, chunk, Findings())[:, 0].tolist()]


def file_of(*columns: list[str]) -> str:
    return "\n".join(["a;y", *(";".join(row) for row in zip(*columns, strict=True)), ""])


@pytest.mark.parametrize(
    ("y", "options", "unit"),
    [
        (WITH_COMMAS, RECOGNISED, 1000.0),
        (["1", "2", "3", "4", "5", "6"], ReadOptions(decimal=","), 1000.0),
        (["1", "2", "3", "4", "5", "6"], RECOGNISED, 1.0),
        (["1", "2.5", "3", "4.25", "5", "6"], RECOGNISED, 1.0),
        (WITH_COMMAS, ReadOptions(decimal="."), 1.0),
    ],
)
def test_points_separate_thousands_in_a_file_with_decimal_commas(
    y: list[str], options: ReadOptions, unit: float
) -> None:
    """Also where no cell of the column has a comma."""
    expected = [950, *(unit * n for n in (1.234, 2.1, 3.456, 4.567)), 12]
    assert read(file_of(WITH_POINTS, y), options) == pytest.approx(expected)


def test_points_in_another_file_are_refused_where_the_context_has_decimal_commas() -> None:
    with open_table(file_of(WITH_POINTS, WITH_COMMAS).encode(), "t.csv") as table:
        schema = infer_schema(table, Requested("y"))
    assert read("a\n2.345\n3.000\n", ReadOptions(decimal=","), schema) == [2345, 3000]
    assert read("a\n2\n3\n", schema=schema) == [2, 3]
    for text in ("a\n2.345\n3.000\n", "a\n2.000\n3.000\n"):
        with pytest.raises(InvalidInput, match=r"has decimal commas in the context and '2(\.345)?' here\. Say the"):
            read(text, schema=schema)
