"""A value is the same number, a missing cell or refused, at every entry point."""

import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from gdssm_client import frames
from gdssm_client.sklearn import GDSSMRegressor
from service import numbers
from service.errors import InvalidInput
from service.tables.reading import open_table

REFUSED = "refused"
EntryPoint = Callable[[Any, Path], float]


def in_list(value: object, _: Path) -> float:
    return float(frames.read([[value], [2.0]], "x", missing=True).numbers[0, 0])


def in_array(value: object, _: Path) -> float:
    return float(frames.read(np.array([value]), "x", missing=True).numbers[0])


def in_pandas(value: object, _: Path) -> float:
    return float(frames.read(pd.DataFrame({"a": [value]}), "x", missing=True).numbers[0, 0])


def in_objects(value: object, _: Path) -> float:
    return float(frames.read(pd.DataFrame({"a": [value]}, dtype=object), "x", missing=True).numbers[0, 0])


def in_polars(value: object, _: Path) -> float:
    return float(frames.read(pl.DataFrame({"a": [value]}), "x", missing=True).numbers[0, 0])


def in_estimator(value: object, _: Path) -> float:
    """Learn y = 2x from rows of which one is the value, in a frame; read from the state what the value was."""
    fitted = GDSSMRegressor("linear").fit(pd.DataFrame({"a": pd.Series([value])}), [1.0])
    present = fitted.state_["state.present"]
    return np.nan if present.size and not present.any() else float(fitted.state_["state.mean"][0, 1])


def in_json(value: object, _: Path) -> float:
    return float(numbers.matrix_with_missing(json.loads(json.dumps([[value]])), "x")[0, 0])


def in_parquet(value: object, path: Path) -> float:
    parquet.write_table(pa.table({"a": pa.array([value])}), path / "t.parquet")
    return _number_in(path / "t.parquet")


def in_csv(value: object, path: Path) -> float:
    pd.DataFrame({"a": [value], "b": [0]}).to_csv(path / "t.csv", index=False)
    return _number_in(path / "t.csv")


def _number_in(path: Path) -> float:
    """Read the only cell of column a of a file."""
    with open_table(path, path.name) as table:
        (chunk,) = table.chunks(["a"])
    assert chunk.cells["a"].kind == "number"
    return float(chunk.cells["a"].values[0])


ARRAYS: list[EntryPoint] = [in_list, in_array, in_pandas, in_objects, in_polars]
FRAMES = [*ARRAYS, in_estimator]
FILES: list[EntryPoint] = [in_parquet, in_csv]
VALUES: list[tuple[object, float | str, list[EntryPoint]]] = [
    (3, 3.0, [*FRAMES, in_json, *FILES]),
    (2.5, 2.5, [*FRAMES, in_json, *FILES]),
    (2**53 + 1, 2.0**53, [*FRAMES, in_json, *FILES]),
    (2**64 - 1, 2.0**64, [in_list, in_array, in_pandas, in_objects, in_estimator, in_json, in_csv]),
    (10**300, 1e300, [in_list, in_array, in_pandas, in_objects, in_json, in_csv]),
    (10**400, REFUSED, [in_list, in_array, in_objects, in_json]),
    (Decimal("1.25"), 1.25, [*FRAMES, *FILES]),
    (Fraction(5, 4), 1.25, [in_list, in_array, in_pandas, in_objects, in_estimator]),
    (np.float32(0.5), 0.5, [*FRAMES, *FILES]),
    (None, np.nan, [*FRAMES, in_json, *FILES]),
    (float("nan"), np.nan, [*FRAMES, *FILES]),
    (float("inf"), REFUSED, [*FRAMES]),
    (True, REFUSED, [*ARRAYS, in_json]),
    ("red", REFUSED, [*ARRAYS, in_json]),
    ("1", REFUSED, [*ARRAYS, in_json]),
    (1 + 0j, REFUSED, [in_list, in_array, in_pandas, in_objects, in_estimator]),
    (pd.Timestamp("2026-01-02"), REFUSED, [in_list, in_array, in_pandas, in_objects]),
    (pd.Timedelta(1, "s"), REFUSED, [in_list, in_array, in_pandas, in_objects]),
    ([1.0], REFUSED, [in_pandas, in_objects, in_polars, in_estimator]),
    ({}, REFUSED, [in_list, in_array, in_pandas, in_objects, in_json]),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "expected", "entry_point"),
    [(value, expected, entry_point) for value, expected, entry_points in VALUES for entry_point in entry_points],
    ids=lambda part: part.__name__ if callable(part) else repr(part)[:30],
)
def test_a_value_is_the_same_number_at_every_entry_point(
    tmp_path: Path, value: object, expected: float | str, entry_point: EntryPoint
) -> None:
    if isinstance(expected, str):
        with pytest.raises((InvalidInput, frames.NotNumbers)):
            entry_point(value, tmp_path)
    else:
        np.testing.assert_array_equal(entry_point(value, tmp_path), expected)
