import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from scipy import sparse  # type: ignore[import-untyped]

from gdssm_client import arrays
from gdssm_client.errors import InvalidArgument
from gdssm_client.frames import NotNumbers, labels, number, read, writer

ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
TWO = ("a", "b")


@pytest.mark.parametrize(
    "values",
    [
        ROWS,
        np.array(ROWS),
        pd.DataFrame(ROWS),
        pl.DataFrame(ROWS, orient="row"),
        pa.table({"u": [1, 3, 5], "v": [2.0, 4.0, 6.0]}),
        pa.record_batch({"u": [1, 3, 5], "v": [2.0, 4.0, 6.0]}),
        torch.tensor(ROWS),
        sparse.csr_array(ROWS),
        sparse.coo_matrix(ROWS),
        tuple(map(np.array, ROWS)),
        [pd.Series(row) for row in ROWS],
        [[Decimal(1), Fraction(2)], [np.float32(3), 4], [torch.tensor(5.0), np.array(6)]],
        pd.DataFrame({"u": [Decimal(1), Decimal(3), Decimal(5)], "v": pd.array([2, 4, 6], "UInt8")}),
        pd.DataFrame({"u": pd.Categorical([1, 3, 5]), "v": pa.array([2, 4, 6]).dictionary_encode().to_pandas()}),
        pd.DataFrame({"u": pd.arrays.SparseArray([1, 3, 5]), "v": pd.array([2, 4, 6], "Float32")}),
        pl.DataFrame({"u": pl.Series([1, 3, 5], dtype=pl.Int128), "v": [Decimal(2), Decimal(4), Decimal(6)]}),
    ],
)
def test_rows_are_read_from_all_kinds(values: object) -> None:
    assert read(values, "x").numbers.tolist() == ROWS


@pytest.mark.parametrize(
    "values", [[1, 2, 3], np.array([1, 2, 3], np.float32), pd.Series([1, 2, 3]), pl.Series([1, 2, 3])]
)
def test_column_is_read_from_all_kinds(values: object) -> None:
    found = read(values, "y").numbers
    assert found.dtype == np.float64
    assert found.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("library", [pd, pl])
def test_columns_are_selected_by_name(library: ModuleType) -> None:
    x = read(library.DataFrame({"a": [1.0], "b": [2.0]}), "x")
    query = library.DataFrame({"c": [9.0], "b": [20.0], "a": [10.0]})
    assert read(query, "query", column_order=x.names).numbers.tolist() == [[10.0, 20.0]]


def test_a_missing_column_is_named() -> None:
    x = read(pd.DataFrame({"a": [1.0], "b": [2.0]}), "x")
    with pytest.raises(ValueError, match="query has no column 'b'"):
        read(pd.DataFrame({"a": [1.0]}), "query", column_order=x.names)


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
        pa.table({"a": [1, None], "b": [None, 4.0]}),
        np.ma.MaskedArray([[1, 7], [7, 4]], [[False, True], [True, False]]),
        [np.ma.MaskedArray([1, 7], [False, True]), np.ma.MaskedArray([7, 4], [True, False])],
        [[1, pd.NA], [Decimal("NaN"), 4]],
        sparse.csr_array(GAPS),
    ],
)
def test_missing_cells_are_nan_whatever_their_kind(values: object) -> None:
    found = read(values, "x", missing=True).numbers
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, GAPS)


def test_columns_of_several_kinds_of_numbers_are_read() -> None:
    frame = pd.DataFrame({"a": pd.array([1.5, None], "double[pyarrow]"), "b": [1, 2], "c": pd.array([3, 4], "Int64")})
    np.testing.assert_array_equal(read(frame, "x", missing=True).numbers, [[1.5, 1, 3], [np.nan, 2, 4]])


def test_integer_column_names_match_as_text() -> None:
    frame = pd.DataFrame(np.arange(22.0).reshape(2, 11))
    assert read(frame, "x").names == tuple(map(str, range(11)))
    query = frame[[10, *range(10)]]
    query.columns = query.columns.astype(str)
    assert read(query, "query", column_order=read(frame, "x").names).numbers.tolist() == frame.to_numpy().tolist()


def test_columns_of_several_levels_are_found_by_name() -> None:
    frame = pd.DataFrame([[1.0, 2.0]], columns=pd.MultiIndex.from_tuples([("a", "low"), ("a", "high")]))
    names = read(frame, "x").names
    assert read(frame[frame.columns[::-1]], "query", column_order=names).numbers.tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        (pd.DataFrame([[1, 2]], columns=np.array(["a", "a"], object)), "a"),
        (pd.DataFrame([[1, 2]], columns=np.array([0, "0"], object)), "0"),
        (pa.table([[1], [2]], names=["a", "a"]), "a"),
    ],
)
def test_two_columns_of_one_name_are_refused(frame: object, name: str) -> None:
    with pytest.raises(
        InvalidArgument, match=rf"^x has more than one column '{name}'. Give each column its own name.$"
    ):
        read(frame, "x")


def test_pandas_index_is_not_a_column() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=[700, 900])
    for table in (frame, pa.Table.from_pandas(frame), pl.from_arrow(pa.Table.from_pandas(frame))):
        assert read(table, "x").names == ("a",)
    named = pa.Table.from_pandas(frame.rename_axis("id"))
    assert read(named, "x").numbers.tolist() == [[1.0], [2.0]]


NO_NUMBERS: list[tuple[object, str]] = [
    ([[1.0, True]], "x[0][1] is True. Send 1 and 0"),
    (["1", 2], "x[0] is the text '1'. Convert"),
    (np.array([[True]]), "x is of type bool. Send 1 and 0"),
    (torch.tensor([True]), "x is of type bool. Send 1 and 0"),
    (sparse.csr_array([[True]]), "x is of type bool. Send 1 and 0"),
    ([1 + 0j], "x[0] is (1+0j). Complex data not supported"),
    ([[1, 2], [3]], "x[1] has the shape (1,), row 0 (2,). Send rows of one width"),
    ([1, [2]], "x[1] has the shape (1,), row 0 (). Send rows of one width"),
    ([[1], [2], np.array([True])], "x[2] is of type bool. Send 1 and 0"),
    ([[1.0, 10**400]], "x[0][1] is infinite, or too large for float64. Send a finite number"),
    (np.array([1, np.inf]), "x[1] is infinite"),
    ({"a": [1]}, "x is of type dict. Send a list, an array or a frame"),
    ([{"a": 1}], "x[0] is of type dict"),
    ({1, 2}, "x is of type set. Send a list"),
    (iter([1]), "x is of type list_iterator. Send a list"),
    ("12", "x is of type <U2. Convert text"),
    (None, "x is of type NoneType. Send a list"),
    (torch.ones(2, requires_grad=True), "x is a Tensor that cannot be read as an array (Can't call numpy()"),
    (pd.DataFrame({"size": [1, 2], "red": [True, False]}), "column 'red' is of type bool. Send 1 and 0"),
    (pd.DataFrame({"red": pd.array([True, None], "boolean")}), "column 'red' is of type boolean. Send 1 and 0"),
    (pl.DataFrame({"red": [True, None]}), "column 'red' is of type Boolean. Send 1 and 0"),
    (pa.table({"red": [True, None]}), "column 'red' is of type bool. Send 1 and 0"),
    (pd.DataFrame({"size": ["1", "2"]}), "column 'size' is of type str. Convert text that is a number"),
    (pl.DataFrame({"size": ["1", "2"]}), "column 'size' is of type String. Convert text that is a number"),
    (pd.DataFrame({"size": pd.Categorical(["1"])}), "x[0], column 'size', is the text '1'. Convert"),
    (pl.DataFrame({"a": pl.Series(["u"], dtype=pl.Enum(["u"]))}), "x[0], column 'a', is the text 'u'. Convert"),
    (pd.DataFrame({"when": pd.to_datetime(["2026-01-02"])}), "column 'when' is of type datetime64[us]. Send a number"),
    (pl.DataFrame({"when": [timedelta(1)]}), "column 'when' is of type Duration(time_unit='us'). Send a number"),
    (pd.DataFrame({"size": [1j]}), "column 'size' is of type complex128. Complex data not supported"),
    (
        pd.DataFrame({"a": [1, "red", True]}, dtype=object),
        "x[1], column 'a', is the text 'red'; x[2], column 'a', is True.",
    ),
    (pd.DataFrame({"a": [1.0, 2.0], "size": [1.0, np.inf]}), "x[1], column 'size', is infinite"),
    (pl.DataFrame({"a": [1.0], "size": [[1.0]]}), "column 'size' is of type List"),
    (
        pd.DataFrame({"a": ["u"], "b": [1], "c": [True]}),
        "column 'a' is of type str; column 'c' is of type bool. ",
    ),
]


@pytest.mark.parametrize("missing", [True, False])
@pytest.mark.parametrize(("values", "message"), NO_NUMBERS, ids=[message for _, message in NO_NUMBERS])
def test_non_numbers_are_reported_with_column_and_remedy(values: object, message: str, missing: bool) -> None:
    with pytest.raises(NotNumbers) as refused:
        read(values, "x", missing=missing)
    assert str(refused.value).startswith(f"x must be numbers; {message}")


def test_lazy_frame_is_refused() -> None:
    with pytest.raises(NotNumbers, match=r"^x is a lazy frame \(LazyFrame\). Compute it first"):
        read(pl.LazyFrame({"a": [1]}), "x")


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ([1.0, None], "y[1]"),
        ([1.0, float("nan")], "y[1]"),
        ([[1.0], [pd.NA]], "y[1][0]"),
        (np.ma.MaskedArray([1.0, 2.0], [False, True]), "y[1]"),
        (pd.Series([1, None], dtype="Int64"), "y[1]"),
        (pl.Series([1, None]), "y[1]"),
        (pa.chunked_array([[1], [None]]), "y[1]"),
        (pd.DataFrame({"price": [1.0, None]}), "y[1], column 'price',"),
        (pl.DataFrame({"price": [1, None]}), "y[1], column 'price',"),
        (pd.DataFrame({"price": [Decimal(1), None]}), "y[1], column 'price',"),
    ],
)
def test_missing_cells_are_reported_by_row(values: object, place: str) -> None:
    with pytest.raises(NotNumbers) as refused:
        read(values, "y")
    assert str(refused.value) == f"y must be numbers; {place} is missing. Fill it in, or leave the row out."


def test_a_very_large_sparse_array_is_refused_before_it_is_made_dense() -> None:
    with pytest.raises(NotNumbers, match=r"x is sparse and would be 1000000 × 1000000 numbers .*TruncatedSVD"):
        read(sparse.csr_array((10**6, 10**6)), "x")


def test_a_very_large_frame_of_sparse_columns_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 1.0]), "b": [1.0, 2.0]})
    assert read(frame, "x").numbers.tolist() == [[0.0, 1.0], [1.0, 2.0]]
    monkeypatch.setattr(arrays, "DENSE_LIMIT", 3)
    with pytest.raises(NotNumbers, match="x must be numbers; x is sparse and would be 2 × 2 numbers"):
        read(frame, "x")
    assert read(frame.astype(float), "x").numbers.tolist() == [[0.0, 1.0], [1.0, 2.0]]


def test_a_frame_without_columns_or_rows_keeps_its_shape() -> None:
    assert read(pd.DataFrame(index=range(3)), "x").numbers.shape == (3, 0)
    assert read(pd.DataFrame({"a": []}), "x").numbers.shape == (0, 1)
    assert read(pl.DataFrame({"a": [], "b": []}), "x").numbers.shape == (0, 2)
    assert read([], "x").numbers.shape == (0,)


def test_labels_of_any_type_except_missing_are_read() -> None:
    for values in (["a", "b"], [True, False], pd.Categorical(["a", "b"]), pl.Series(["a", "b"]), np.array([1, 2])):
        assert labels(values, "y").tolist() == list(values)
    hidden = np.ma.MaskedArray([1, 2], [False, True])
    gaps = (["a", None], [1.0, float("nan")], pd.Series(["a", None]), pl.Series(["a", None]), hidden)
    for gap in (*gaps, pd.Series([1, None], dtype="Int64")):
        with pytest.raises(InvalidArgument, match=r"^y\[1\] is missing. Fill it in, or leave the row out.$"):
            labels(gap, "y")


def test_number_follows_the_same_rule() -> None:
    assert number(Decimal("0.25"), "interval") == 0.25
    with pytest.raises(NotNumbers, match=r"^interval must be a number; it is the text '0.9'. Convert"):
        number("0.9", "interval")


def test_reading_imports_no_other_library() -> None:
    code = (
        "import sys; from gdssm_client.frames import read, writer; import numpy as np\n"
        "for rows in ([[1, 2]], [[1.5, None]], np.ones((1, 2)), np.ma.ones((1, 2))):\n"
        "    writer(rows, None)(read(rows, 'x', missing=True).numbers)\n"
        "assert not {'pandas', 'polars', 'pyarrow', 'scipy', 'torch', 'sklearn', 'httpx'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True)


def test_writer_returns_the_kind_of_the_query() -> None:
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
    table = pa.record_batch({"u": [1.0, 3.0, 5.0], "v": [2.0, 4.0, 6.0]})
    assert writer(table, TWO)(two).equals(pa.table({"a": two[:, 0], "b": two[:, 1]}))
    for array in (torch.tensor(ROWS), sparse.csr_array(ROWS), np.array(ROWS)):
        assert type(writer(array, None)(flat)) is np.ndarray
