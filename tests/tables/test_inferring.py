"""What becomes of each column of a table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from service.errors import InvalidInput
from service.tables.cells import Cells
from service.tables.memory import table_of_columns
from service.tables.predicting import infer_schema
from service.tables.requested import Requested
from service.tables.schema import ColumnSchema, TableSchema, schema_from
from service.tables.summary import CHARACTERS_LIMIT, ColumnSummary

ROWS = 40
Y = [float(i % 7) for i in range(ROWS)]


def schema_of(values: Sequence[object], name: str = "a", y: Sequence[object] = Y, **requested: Any) -> TableSchema:  # noqa: ANN401  (fields of `Requested`)
    """Infer the schema of one column, with a column of numbers and a target y."""
    columns = {name: values, "number": [float(i % 11) for i in range(len(values))], "y": y[: len(values)]}
    return infer_schema(table_of_columns(columns, "rows"), Requested("y", **requested))


def column_of(values: Sequence[object], name: str = "a", **requested: Any) -> ColumnSchema:  # noqa: ANN401
    """Infer what becomes of one column."""
    return schema_of(values, name, **requested).columns[0]


def repeated(*values: object) -> list[object]:
    return [values[i % len(values)] for i in range(ROWS)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (repeated(1, 2.5, None), "number"),
        (repeated("1,200", "13", "NA"), "number"),
        (repeated("12 %", "9 %", "8.5 %"), "number"),
        (repeated("1,5", "2,25", "0,5"), "number"),
        (repeated(True, False), "yes_no"),
        (repeated("12,5 %", "9,25%", "-3,1 %"), "number"),
        (repeated("1.234,00 EUR", "3,50 EUR", "0,75- EUR"), "number"),
        (repeated("1.234.567", "2.345.678"), "number"),
        (repeated("$ 1.50", "$ -", "$ (3.00)"), "number"),
        (repeated("1E10", "2E11", "3E05"), "category"),
        (repeated("192.168.100.100", "192.168.200.200"), "category"),
        (repeated("25:23:45", "0:59:10"), "time"),
        (repeated("yes", "No"), "yes_no"),
        (repeated("Bern", "Basel", ""), "category"),
        (repeated("007", "012", "100"), "category"),
        (repeated("5 kg", "5 g", "6 m"), "category"),
        (repeated("A1", "A2", "A3"), "category"),
        (repeated("1", "2", "few", "many"), "category"),
        (repeated("2020-01-02", "2020-03-04", "?"), "time"),
        (repeated("31.12.2019", "01.02.2020", "02.02.2020"), "time"),
    ],
)
def test_kind(values: Sequence[object], kind: str) -> None:
    assert column_of(values).kind == kind


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("a", [None] * ROWS, "empty"),
        ("a", ["NA", "?"] * (ROWS // 2), "empty"),
        ("a", [3] * ROWS, "constant"),
        ("a", ["x"] * ROWS, "constant"),
        ("customer", [f"C{i:03}x" for i in range(ROWS)], "identifier"),
        ("a", [f"the house number {i} of a long street" for i in range(ROWS)], "free_text"),
        ("id", list(range(ROWS)), "identifier"),
        ("PassengerId", list(range(100, 100 + ROWS)), "identifier"),
        ("user_id", [(i * 17) % 1009 for i in range(ROWS)], "identifier"),
        ("Unnamed: 0", list(range(ROWS)), "identifier"),
        ("Unnamed: 0", [(i * 17) % 41 for i in range(ROWS)], "identifier"),
        ("obs", [*range(1, 20), *range(22, 23 + ROWS - 20)], "identifier"),
    ],
)
def test_left_out(name: str, values: Sequence[object], reason: str) -> None:
    found = column_of(values, name)
    assert (found.kind, found.reason) == ("left_out", reason)


@pytest.mark.parametrize("name", ["smoking_no", "stock_index", "case", "number"])
def test_numbers_that_do_not_count_rows_are_kept(name: str) -> None:
    assert column_of([(i * 17) % 1009 for i in range(ROWS)], name).kind == "number"


@pytest.mark.parametrize("name", ["year", "day", "size", "t", "paid", "grid"])
def test_numbers_that_count_up_are_kept_unless_their_name_is_that_of_an_identifier(name: str) -> None:
    assert column_of(list(range(1900, 1900 + ROWS)), name).kind == "number"


def test_single_row_keeps_its_columns() -> None:
    assert column_of([3]).kind == "number"


def test_constant_column_with_gaps_is_kept() -> None:
    assert column_of([3, None] * (ROWS // 2)).kind == "number"


def test_few_unreadable_numbers_are_gaps_and_many_make_a_category() -> None:
    assert column_of(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "unknown"] * 3).kind == "number"
    assert column_of(["1", "2", "unknown", "many"] * 10).kind == "category"


def test_levels_are_the_most_frequent_and_further_ones_are_other() -> None:
    values = [f"level {i}" for i in range(40) for _ in range(i + 1)]
    y = [float(i % 5) for i in range(len(values))]
    found = schema_of(values, y=y).columns[0]
    assert found.levels == tuple(f"level {i}" for i in range(39, 7, -1))
    assert found.other


def test_missing_cells_of_a_category_are_a_level() -> None:
    assert column_of(repeated("Bern", None, "Basel")).all_levels() == ("Bern", "Basel", "(missing)")


def test_table_with_many_categories_keeps_fewer_levels() -> None:
    columns: dict[str, list[object]] = {f"c{j}": [f"v{i % 32}" for i in range(320)] for j in range(20)}
    found = infer_schema(table_of_columns(columns | {"y": Y * 8}, "rows"), Requested("y"))
    assert sum(len(column.levels) for column in found.columns) <= 256
    assert {column.other for column in found.columns} == {True}


@pytest.mark.parametrize(
    ("texts", "parts"),
    [
        (["2020-01-01", "2020-01-05"], ("elapsed",)),
        (["2020-01-01 10:00", "2020-01-05 12:00"], ("elapsed", "time_of_day")),
        (["2020-01-01", "2020-03-05"], ("elapsed", "day_of_week")),
        (["2020-01-01", "2023-03-05"], ("elapsed", "day_of_week", "day_of_year")),
        (["2020-01", "2023-03"], ("elapsed", "day_of_year")),
        ([20200101, 20230305], ("elapsed", "day_of_week", "day_of_year")),
        (["10:30", "11:45"], ("elapsed", "time_of_day")),
    ],
)
def test_parts_of_a_time(texts: list[object], parts: tuple[str, ...]) -> None:
    assert column_of(repeated(*texts)).parts == parts


@pytest.mark.parametrize(
    ("texts", "date_format"),
    [
        (["13/01/2020", "02/03/2020"], "day-month-year"),
        (["01/13/2020", "02/03/2020"], "month-day-year"),
        (["01/02/2020", "02/03/2020"], "month-day-year"),
        (["01.02.2020", "02.03.2020"], "day-month-year"),
    ],
)
def test_order_of_day_and_month(texts: list[str], date_format: str) -> None:
    assert column_of(repeated(*texts)).date_format == date_format


def test_decimal_sign_of_one_column_decides_ambiguous_ones() -> None:
    columns: dict[str, Sequence[object]] = {"a": repeated("1,5", "2,75"), "b": repeated("1.200", "2.500"), "y": Y}
    found = infer_schema(table_of_columns(columns, "rows"), Requested("y"))
    assert [column.decimal for column in found.columns] == [",", ","]


@pytest.mark.parametrize(
    ("y", "task", "classes"),
    [
        ([1.0, 0.0], "regression", ()),
        (["1,200", "850"], "regression", ()),
        ([True, False], "classification", ("false", "true")),
        (["yes", "no"], "classification", ("no", "yes")),
        (["red", "green", "blue"], "classification", ("blue", "green", "red")),
    ],
)
def test_target(y: list[object], task: str, classes: tuple[str, ...]) -> None:
    found = schema_of(list(range(0, 3 * ROWS, 3)), y=repeated(*y))
    assert (found.task, found.classes) == (task, classes)


def test_classification_of_numbers_on_request() -> None:
    found = schema_of(repeated(1, 2), y=repeated(0, 1, 2.5), task="classification")
    assert found.classes == ("0", "1", "2.5")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([None] * ROWS, "has no value in any row"),
        (["a"] * ROWS, "'a' in every row"),
        ([f"text {i}" for i in range(60)], "60 different texts"),
        (["2020-01-02", "2020-01-03"] * 20, "holds times"),
    ],
)
def test_target_that_cannot_be_predicted_is_refused(y: list[object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        schema_of([float(i % 9) for i in range(len(y))], y=y)


def test_rows_without_a_target_do_not_decide() -> None:
    values = [*repeated(1, 2), *["text"] * 10]
    found = schema_of(values, y=[*Y, *[None] * 10])
    assert found.columns[0].kind == "number"


def test_caller_decides() -> None:
    found = column_of(repeated(1, 2, 3), kinds={"a": "category"})
    assert found.levels == ("1", "2", "3")
    assert column_of(repeated(1, 2), ignore=("a",)).reason == "requested"
    assert column_of(list(range(ROWS)), "id", kinds={"id": "number"}).kind == "number"


def test_all_problems_are_reported_at_once() -> None:
    columns: dict[str, Sequence[object]] = {"a": repeated("x", "z"), "b": repeated("x", "z"), "y": ["same"] * ROWS}
    with pytest.raises(InvalidInput) as caught:
        infer_schema(table_of_columns(columns, "rows"), Requested("y", kinds={"a": "number", "b": "time"}))
    assert [problem.field for problem in caught.value.problems] == ["column 'a'", "column 'b'", "target 'y'"]
    assert "'x' (rows[0]) is none" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        (Requested("price"), "no column 'price'; the table has 'a', 'y'"),
        (Requested("y", ignore=("b",)), "no column 'b'"),
        (Requested("y", weight="y"), "both 'y'"),
        (Requested("y", ignore=("a",)), "No column is left"),
    ],
)
def test_requests_that_do_not_fit_are_refused(requested: Requested, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        infer_schema(table_of_columns({"a": repeated(1, 2), "y": Y}, "rows"), requested)


def test_schema_survives_json() -> None:
    columns: dict[str, Sequence[object]] = {
        "a": repeated("x", "z", None),
        "b": repeated("2020-01-02", "2022-03-04"),
        "c": repeated("1,5"),
        "y": Y,
    }
    found = infer_schema(table_of_columns(columns, "rows"), Requested("y"))
    assert schema_from(found.as_json()) == found


@pytest.mark.parametrize(
    "change",
    [
        {"columns": []},
        {"target": {"name": "y", "kind": "time"}},
        {"target": {"name": "a", "kind": "number"}},
        {"columns": [{"name": "a", "kind": "category", "levels": ["x", "x"]}]},
        {"columns": [{"name": "a", "kind": "spectrum"}]},
        {"columns": [{"name": "a", "kind": "time"}]},
        {"later": [["b", "x"]]},
        {"unknown": 1},
    ],
)
def test_invalid_schemas_are_refused(change: dict[str, Any]) -> None:
    valid = {"columns": [{"name": "a", "kind": "number"}], "target": {"name": "y", "kind": "number"}}
    schema_from(valid)
    with pytest.raises(InvalidInput):
        schema_from(valid | change)


def test_summaries_keep_few_characters_of_long_texts() -> None:
    summary = ColumnSummary()
    texts = tuple(f"{number} " * 2000 for number in range(1500))
    summary.add(Cells("text", np.arange(len(texts), dtype=np.int32), texts), 0)
    assert summary.more_texts
    assert sum(map(len, summary.texts)) < 1.1 * CHARACTERS_LIMIT


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sold", [20240131, 20240229, 20240315, 20240402]),
        ("customer_id", [1001, 1017, 1042, 1013]),
        ("no", [1, 2, 3, 4]),
        ("rooms", [3, 1, 3, 2]),
        ("size", [3.5, 1.25, 3.0, 2.0]),
    ],
)
def test_plain_numbers_are_used_alike_whether_they_are_texts_or_not(name: str, values: list[float]) -> None:
    tables = [
        table_of_columns({name: written, "more": [1.0, 2.0, 2.0, 1.5], "y": [1.0, 2.0, 3.0, 4.0]}, "t")
        for written in (values, [str(value) for value in values])
    ]
    numbers, texts = (infer_schema(table, Requested("y")) for table in tables)
    assert numbers == texts
