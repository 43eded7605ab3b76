from types import ModuleType

import numpy as np
import pandas as pd
import polars as pl
import pytest

from service.client.frames import read, writer

ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
TWO = ("a", "b")


@pytest.mark.parametrize("values", [ROWS, np.array(ROWS), pd.DataFrame(ROWS), pl.DataFrame(ROWS, orient="row")])
def test_rows_are_read_from_anything(values: object) -> None:
    if isinstance(values, pd.DataFrame):
        values.columns = ["u", "v"]
    assert read(values, "x").numbers.tolist() == ROWS


@pytest.mark.parametrize(
    "values", [[1, 2, 3], np.array([1, 2, 3], np.float32), pd.Series([1, 2, 3]), pl.Series([1, 2, 3])]
)
def test_a_column_is_read_from_anything(values: object) -> None:
    found = read(values, "y").numbers
    assert found.dtype == np.float64
    assert found.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("library", [pd, pl])
def test_columns_are_found_by_name_and_others_left_out(library: ModuleType) -> None:
    x = read(library.DataFrame({"a": [1.0], "b": [2.0]}), "x")
    query = library.DataFrame({"c": [9.0], "b": [20.0], "a": [10.0]})
    assert read(query, "query", like=x.names).numbers.tolist() == [[10.0, 20.0]]


def test_a_missing_column_is_named() -> None:
    x = read(pd.DataFrame({"a": [1.0], "b": [2.0]}), "x")
    with pytest.raises(ValueError, match="query has no column 'b'"):
        read(pd.DataFrame({"a": [1.0]}), "query", like=x.names)


GAPS = [[1.0, np.nan], [np.nan, 4.0]]


@pytest.mark.parametrize(
    "values",
    [
        [[1, None], [None, 4.0]],
        [[1.0, float("nan")], [None, 4]],
        np.array(GAPS, np.float32),
        np.array([[1, None], [None, 4]], object),
        pd.DataFrame(GAPS),
        pd.DataFrame({"a": [1, None], "b": [None, 4]}, dtype=object),
        pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": [np.nan, 4.0]}),
        pd.DataFrame({"a": pd.array([1, pd.NA], "Float64"), "b": pd.array([None, 4], "Int8")}),
        pl.DataFrame({"a": [1, None], "b": [None, 4.0]}),
        pl.DataFrame({"a": [1.0, float("nan")], "b": [None, 4]}),
    ],
)
def test_missing_cells_are_nan_whatever_their_kind(values: object) -> None:
    found = read(values, "x", missing=True).numbers
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, GAPS)


def test_columns_of_several_kinds_of_numbers_are_read() -> None:
    frame = pd.DataFrame({"a": pd.array([1.5, None], "double[pyarrow]"), "b": [1, 2], "c": pd.array([3, 4], "Int64")})
    np.testing.assert_array_equal(read(frame, "x", missing=True).numbers, [[1.5, 1, 3], [np.nan, 2, 4]])


@pytest.mark.parametrize("values", [[["1", None]], [[True, None]], pd.DataFrame({"a": ["x", None]})])
def test_only_numbers_and_missing_cells_are_read(values: object) -> None:
    with pytest.raises(ValueError, match=r"^x must be numbers"):
        read(values, "x", missing=True)


@pytest.mark.parametrize(
    "values", [["1", "2"], [[1.0, None]], [True, False], [[1, 2], [3]], pd.DataFrame({"a": ["x"]})]
)
def test_what_is_not_a_number_is_refused_by_name(values: object) -> None:
    with pytest.raises(ValueError, match=r"^x must be"):
        read(values, "x")


def test_predictions_come_back_as_the_query_came() -> None:
    flat, two = np.array([1.0, 2.0, 3.0]), np.array(ROWS)
    assert writer(ROWS, None)(flat) == [1.0, 2.0, 3.0]
    assert isinstance(writer(np.array(ROWS), None)(flat), np.ndarray)
    named = ("price",)
    frame = pd.DataFrame(ROWS, columns=["u", "v"], index=[7, 8, 9])
    pd.testing.assert_series_equal(writer(frame, named)(flat), pd.Series(flat, name="price", index=[7, 8, 9]))
    pd.testing.assert_frame_equal(writer(frame, TWO)(two), pd.DataFrame(two, columns=["a", "b"], index=[7, 8, 9]))
    polars = pl.DataFrame(ROWS, orient="row")
    assert writer(polars, named)(flat).equals(pl.Series("price", flat))
    assert writer(polars, TWO)(two).equals(pl.DataFrame({"a": two[:, 0], "b": two[:, 1]}))
