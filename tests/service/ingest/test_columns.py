"""The use of the fields of entries, and entries as rows."""

from collections.abc import Mapping

import numpy as np
import pytest

from service.errors import InvalidInput
from service.ingest.columns import EntryColumns
from service.ingest.encoding import encode
from service.ingest.source import LogEntry
from service.tables.schema import TableSchema

GOOD = {"device": "d1", "temp": "1.5", "humidity": 3, "power": "-2"}


def entries(*rows: Mapping[str, object]) -> list[LogEntry]:
    return [LogEntry(str(number), row) for number, row in enumerate(rows)]


def schema_of(columns: EntryColumns, *rows: Mapping[str, object]) -> TableSchema:
    found = columns.schema(entries(*rows))
    assert found is not None
    return found


def test_features_are_all_other_fields_by_name() -> None:
    schema = schema_of(EntryColumns("device", "power", ignore=("x",), weight="w"), {**GOOD, "w": 1, "x": 1})
    assert schema.feature_names == ("humidity", "temp")
    assert {column.kind for column in schema.columns} == {"number"}


def test_named_features_keep_their_order() -> None:
    assert schema_of(EntryColumns("device", "power", ("temp", "humidity")), GOOD).feature_names == ("temp", "humidity")


def test_unreadable_first_entries_make_no_schema() -> None:
    assert EntryColumns("device", "power").schema([LogEntry("1", {}, "is bad."), LogEntry("2", {"device": 1})]) is None


@pytest.mark.parametrize(
    "columns",
    [("a", "a"), ("a", "b", ("a",)), ("a", "b", ("c", "c")), ("a", "b", ("c",), (), "c")],
)
def test_a_column_has_one_use(columns: tuple[str, str]) -> None:
    with pytest.raises(InvalidInput, match="two uses"):
        EntryColumns(*columns)


def test_a_kind_of_no_feature_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no feature"):
        EntryColumns("device", "power", ("temp",), kinds={"site": "category"})
    with pytest.raises(InvalidInput, match="no feature"):
        schema_of(EntryColumns("device", "power", kinds={"site": "category"}), GOOD)


def test_entries_without_features_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no field besides the target"):
        schema_of(EntryColumns("device", "power"), {"device": "d1", "power": 1})


def test_declared_columns_are_decided_by_the_first_entries() -> None:
    columns = EntryColumns("device", "power", kinds={"site": "category", "day": "time"})
    rows = [{**GOOD, "site": site, "day": "2026-11-28"} for site in ("north", "south", "north")]
    unreadable = {**GOOD, "site": "west", "day": "2026-11-28", "temp": "warm"}
    schema = schema_of(columns, *rows, unreadable, {"device": "d1"})
    by_name = {column.name: column for column in schema.columns}
    assert by_name["site"].levels == ("north", "south")
    assert {name: column.kind for name, column in by_name.items()} == {
        "day": "time",
        "humidity": "number",
        "site": "category",
        "temp": "number",
    }


def test_a_declared_column_without_a_value_is_refused() -> None:
    columns = EntryColumns("device", "power", kinds={"site": "category"})
    with pytest.raises(InvalidInput, match="site"):
        schema_of(columns, {**GOOD, "site": ""})


def test_classes_are_those_of_the_first_entries() -> None:
    columns = EntryColumns("device", "state", ("temp",), task="classification")
    rows = [{"device": "d", "temp": i, "state": state} for i, state in enumerate(["on", "off", "on"])]
    schema = schema_of(columns, *rows)
    assert sorted(schema.classes) == ["off", "on"]
    found, bad = encode(entries(*rows, {"device": "d", "temp": 1, "state": "broken"}), schema, "device")
    assert found is not None
    assert found.y.shape == (3, 2)
    assert [one.problem for one in bad] == [
        "has 'broken' in 'state', which must be one of the classes of the first entries."
    ]


BAD_CELLS: list[object] = ["warm", "1.5.2", "1e999", float("nan"), float("inf"), 10**400, [1], {"a": 1}, "\ud800é"]


@pytest.mark.parametrize("value", BAD_CELLS, ids=lambda value: repr(value)[:10])
@pytest.mark.parametrize("name", ["temp", "power"])
def test_a_cell_that_is_no_number_is_a_bad_entry(name: str, value: object) -> None:
    columns = EntryColumns("device", "power")
    rows = entries(GOOD, {**GOOD, name: value}, GOOD)
    found, bad = encode(rows, columns.schema(rows[:1]), "device")
    assert found is not None
    assert (len(found.x), [one.entry for one in bad]) == (2, [rows[1]])
    assert repr(name) in bad[0].problem


@pytest.mark.parametrize("value", ["", "\ud800", "a\nb", "x" * 201, None, [1], float("nan"), "\0"])
def test_a_name_that_no_context_can_have_is_a_bad_entry(value: object) -> None:
    rows = entries(GOOD, {**GOOD, "device": value})
    _, bad = encode(rows, EntryColumns("device", "power").schema(rows), "device")
    assert [one.entry for one in bad] == [rows[1]]


@pytest.mark.parametrize(
    ("value", "name"), [(7, "7"), (7.0, "7"), (True, "true"), (" d1 ", "d1"), ("d\u00e9 1", "d\u00e9 1")]
)
def test_a_name_may_be_any_cell(value: object, name: str) -> None:
    rows = entries({**GOOD, "device": value})
    found, _ = encode(rows, EntryColumns("device", "power").schema(rows), "device")
    assert found is not None
    assert found.names == [name]


def test_missing_cells_of_features_are_gaps_and_of_others_bad() -> None:
    columns = EntryColumns("device", "power", ("temp", "humidity"), weight="w")
    full = {**GOOD, "w": "2"}
    rows = entries(full, *({**full, name: value} for name in ("temp", "power", "w") for value in ("", "NA", None)))
    found, bad = encode(rows, columns.schema(rows), "device", "w")
    assert found is not None
    assert found.weight is not None
    assert np.isnan(found.x[:, 0]).tolist() == [False, True, True, True]
    assert found.weight.tolist() == [2.0] * 4
    assert len(bad) == 6


def test_true_is_one_whatever_the_other_rows_have() -> None:
    schema = EntryColumns("device", "power").schema(entries(GOOD))
    for others in ((), (GOOD,), ({**GOOD, "temp": None},)):
        found, bad = encode(entries({**GOOD, "temp": True}, *others), schema, "device")
        assert found is not None
        assert (found.x[0, 1], bad) == (1.0, [])


def test_no_entries_are_no_rows() -> None:
    assert encode([], EntryColumns("device", "power").schema(entries(GOOD)), "device") == (None, [])


def test_an_odd_first_entry_decides_no_features() -> None:
    odd = {**GOOD, "version": 2, "x" * 3000: 1}
    assert schema_of(EntryColumns("device", "power"), odd, GOOD, GOOD).feature_names == ("humidity", "temp")
    assert schema_of(EntryColumns("device", "power"), odd).feature_names == ("humidity", "temp", "version")


def test_a_name_that_no_column_can_have_is_refused() -> None:
    with pytest.raises(InvalidInput, match="names over 2000 characters"):
        EntryColumns("device", "power", ("x" * 3000,))
