"""Frames of any library as tables of cells."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from gdssm_client import frame_tables
from gdssm_client.frames import NotNumbers
from service.tables.cells import Cells
from service.tables.memory import MemoryTable

EAST = timezone(timedelta(hours=2))
COLUMNS: dict[str, list[Any]] = {
    "number": [1.5, None, -3.0],
    "decimal": [Decimal("1.5"), None, Decimal(-3)],
    "flag": [True, None, False],
    "text": [" Bern ", None, "n/a"],
    "moment": [datetime(2020, 1, 1, 12, 0, 0, 5), None, datetime(1950, 1, 2)],  # noqa: DTZ001
    "zoned": [datetime(2020, 1, 1, 12, tzinfo=EAST), None, datetime(1950, 1, 2, 2, tzinfo=EAST)],
    "day": [date(2020, 1, 1), None, date(1950, 1, 2)],
    "clock": [time(12, 30), None, time(1, 2, 3)],
    "span": [timedelta(seconds=1.5), None, timedelta(days=-1)],
}
LIBRARIES: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "pandas": lambda columns: pd.DataFrame(columns, index=[7, 8, 9]),
    "pandas, objects": lambda columns: pd.DataFrame(columns, dtype=object),
    "pandas, nullable": lambda columns: pd.DataFrame(columns).convert_dtypes(),
    "pandas, arrow": lambda columns: pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype),
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
}


def table(frame: object) -> MemoryTable:
    found = frame_tables.frame_of(frame, "X")
    assert found is not None
    return MemoryTable("X", {name: Cells(*cells) for name, cells in frame_tables.table_of(found, "X").items()})


def cells(values: object) -> Cells:
    return table(values).cells["a"]


def in_microseconds(cells: Cells) -> list[int]:
    return [*map(int, cells.values.astype(np.int64))]


@pytest.mark.parametrize("library", LIBRARIES)
def test_columns_of_every_kind_become_cells(library: str) -> None:
    found = table(LIBRARIES[library](COLUMNS)).cells
    assert [*found] == [*COLUMNS]
    for name, kind, values in (
        ("number", "number", [1.5, np.nan, -3.0]),
        ("decimal", "number", [1.5, np.nan, -3.0]),
        ("flag", "boolean", [1.0, np.nan, 0.0]),
        ("span", "number", [1.5, np.nan, -86400.0]),
    ):
        assert found[name].kind == kind
        np.testing.assert_array_equal(found[name].values, values)
    assert (found["text"].texts, found["text"].values.tolist()) == (("Bern",), [0, -1, -1])
    missing = np.datetime64("NaT").astype(np.int64)
    first = round(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) * 10**6
    last = round(datetime(1950, 1, 2, tzinfo=UTC).timestamp()) * 10**6
    for name, hours, micros in (("moment", 12, 5), ("zoned", 10, 0), ("day", 0, 0)):
        assert found[name].kind == "time"
        assert in_microseconds(found[name]) == [first + hours * 3600 * 10**6 + micros, missing, last]
    assert [text[:8] for text in found["clock"].texts] == ["12:30:00", "01:02:03"]
    assert found["clock"].values.tolist() == [0, -1, 1]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["b", None, "a"], dtype="category").to_frame("a"),
        pl.DataFrame({"a": pl.Series(["b", None, "a"], dtype=pl.Categorical)}),
        pl.DataFrame({"a": pl.Series(["b", None, "a"], dtype=pl.Enum(["a", "b"]))}),
        pa.table({"a": pa.array(["b", None, "a"]).dictionary_encode()}),
        pa.table({"a": pa.array(["b", None, "a"], pa.large_string())}),
        pd.DataFrame({"a": np.array(["b", None, "a"], object)}),
    ],
)
def test_categories_are_text(column: object) -> None:
    assert cells(column).texts == ("b", "a")
    assert cells(column).values.tolist() == [0, -1, 1]
    assert not frame_tables.is_numeric(frame_tables.frame_of(column, "X"))  # type: ignore[arg-type]


def test_categories_of_numbers_are_their_texts() -> None:
    found = cells(pd.DataFrame({"a": pd.Categorical([8001, None, 3000])}))
    assert (found.texts, found.values.tolist()) == (("8001", "3000"), [0, -1, 1])


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        ([1, 2.5, Decimal(3), Fraction(1, 2), np.float32(1), None], "number", ()),
        (
            [1, "a", True, 2.0, np.int64(3), np.bool_(False), float("nan")],
            "text",
            ("1", "a", "true", "2", "3", "false"),
        ),
        ([date(2020, 1, 1), "then", None], "text", ("2020-01-01", "then")),
        ([pd.Timestamp("2020-01-01"), date(2020, 1, 2), pd.NaT], "time", ()),
        ([pd.Timedelta("1s"), timedelta(1), None], "number", ()),
        ([None, None], "number", ()),
    ],
)
def test_objects_of_several_types(values: list[Any], kind: str, texts: tuple[str, ...]) -> None:
    column = np.empty(len(values), object)
    column[:] = values
    found = cells(pd.DataFrame({"a": pd.Series(column, dtype=object)}))
    assert (found.kind, found.texts) == (kind, texts)
    assert found.missing().tolist() == [bool(pd.isna(value)) for value in values]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"a": [[1], "b"]}), r"X\[0\], column 'a', is of type list. Convert it to numbers, text,"),
        (pd.DataFrame({"a": [b"x", "y"]}, dtype=object), r"X\[0\], column 'a', is of type bytes. Convert it"),
        (pd.DataFrame({"a": [1j, 2]}), "column 'a' is of type complex128. Complex data not supported"),
        (pl.DataFrame({"a": [[1], [2]]}), r"column 'a' is of type List\(Int64\)"),
        (pl.DataFrame({"a": [b"x", b"y"]}), "column 'a' is of type Binary"),
        (pa.table({"a": [{"b": 1}, {"b": 2}]}), "column 'a' is of type struct"),
        (pd.DataFrame({"a": ["x", 10**400]}, dtype=object), r"X\[1\], column 'a', is infinite, or too large"),
        (pd.DataFrame({"a": [1.0, np.inf]}), r"X\[1\], column 'a', is infinite, or too large"),
        (pd.DataFrame({"a": pd.period_range("2020", periods=2)}), r"X\[0\], column 'a', is of type Period"),
    ],
)
def test_other_types_are_refused_by_name(frame: object, message: str) -> None:
    with pytest.raises(NotNumbers, match=f"^X must be numbers, texts, booleans or times; {message}"):
        table(frame)


def test_an_index_is_no_column_and_names_become_text() -> None:
    frame = pd.DataFrame({0: [1, 2], "b": ["x", "y"]}, index=pd.Index(["p", "q"], name="key"))
    assert table(frame).columns == ("0", "b")
    assert table(pa.Table.from_pandas(frame.rename(columns=str))).columns == ("0", "b")
    assert table(frame).place(1) == "X[1]"


@pytest.mark.parametrize(
    ("frame", "numeric"),
    [
        (pd.DataFrame({"a": [Decimal(1), 2, None]}, dtype=object), True),
        (pd.DataFrame({"a": [None, None]}, dtype=object), True),
        (pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), True),
        (pd.DataFrame({"a": [1, True]}, dtype=object), False),
        (pd.DataFrame({"a": [1, "1"]}, dtype=object), False),
        (pd.DataFrame({"a": pd.array([True, None], dtype="boolean")}), False),
        (pl.DataFrame({"a": [Decimal(1)]}), True),
        (pl.DataFrame({"a": [1], "b": [timedelta(1)]}), False),
        (pa.table({"a": [1.5]}), True),
    ],
)
def test_frames_of_numbers_alone_are_recognised(frame: object, numeric: bool) -> None:
    found = frame_tables.frame_of(frame, "X")
    assert found is not None
    assert frame_tables.is_numeric(found) == numeric
