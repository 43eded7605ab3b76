"""The rule of what a number is, value by value and array by array."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from service.real_numbers import MAX_REPORTED_NUMBERS, Flaw, Flawed, float64, is_missing, number_of, sentence

HIDDEN: Any = np.ma.MaskedArray(3, True)
MASK = [[False, True], [False, False]]

NUMBERS: list[tuple[Any, float]] = [
    (3, 3.0),
    (2.5, 2.5),
    (Decimal("1.25"), 1.25),
    (Fraction(1, 4), 0.25),
    (np.float16(0.5), 0.5),
    (np.longdouble("0.5"), 0.5),
    (np.int8(-7), -7.0),
    (np.uint64(2**64 - 1), 2.0**64),
    (2**53 + 1, 2.0**53),
    (10**300, 1e300),
    (np.array(4.5), 4.5),
    (10**400, np.inf),
    (-Decimal("Infinity"), -np.inf),
]


@pytest.mark.parametrize(("value", "number"), NUMBERS, ids=str)
def test_integers_floats_decimals_and_fractions_are_the_nearest_float64(value: object, number: float) -> None:
    found = number_of(value)
    assert (type(found), found) == (float, number)


@pytest.mark.parametrize(
    "value",
    [
        None,
        float("nan"),
        np.float32("nan"),
        Decimal("NaN"),
        Decimal("sNaN"),
        pd.NA,
        np.ma.masked,
        HIDDEN,
        np.array(pd.NA, object),
    ],
    ids=repr,
)
def test_none_na_nan_and_masked_values_are_missing(value: object) -> None:
    assert np.isnan(number_of(value))


@pytest.mark.parametrize("value", [np.array([1.0]), np.array([]), np.array([[1.0]])], ids=repr)
def test_an_array_with_axes_is_no_number(value: object) -> None:
    with pytest.raises(Flawed):
        number_of(value)


@pytest.mark.parametrize(
    ("value", "what", "remedy"),
    [
        (True, "is True", "Send 1 and 0"),
        (np.False_, "is False", "Send 1 and 0"),
        ("1", "is the text '1'", "Convert text that is a number"),
        (b"1", "is the text b'1'", "Convert text that is a number"),
        (np.str_("red"), "is the text", "encode a category"),
        (1 + 0j, "is (1+0j)", "Complex data not supported"),
        (np.complex64(1), "is (1+0j)", "Complex data not supported"),
        (datetime(2026, 1, 2, tzinfo=UTC), "is 2026-01-02", "days since"),
        (np.datetime64("2026-01-02", "ns"), "is 2026-01-02", "days since"),
        (pd.NaT, "is NaT", "days since"),
        (timedelta(seconds=5), "is 0:00:05", "seconds"),
        (np.timedelta64(5, "s"), "is 5 seconds", "seconds"),
        ([1], "is of type list (float() argument must be a string or a real number", "Send integers"),
        ({}, "is of type dict (float() argument must be a string or a real number", "Send integers"),
    ],
)
def test_other_values_are_named_with_a_remedy(value: object, what: str, remedy: str) -> None:
    with pytest.raises(Flawed) as refused:
        number_of(value)
    (flaw,) = refused.value.flaws
    assert flaw.place == ()
    assert flaw.what.startswith(what)
    assert remedy in flaw.remedy


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", "i1", "u8", "O"])
def test_arrays_of_every_type_of_number_become_float64(dtype: str) -> None:
    found = float64(np.array([[1, 2], [3, 4]], dtype))
    assert found.dtype == np.float64
    assert found.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "array",
    [
        np.array([True]),
        np.array(["1"]),
        np.array([b"1"]),
        np.array(["1"], np.dtypes.StringDType()),
        np.array([1j]),
        np.array(["2026"], "M8[ns]"),
        np.array([1], "m8[s]"),
        np.array([(1, 2)], [("a", int), ("b", int)]),
        np.ma.array([True], mask=[True]),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_of_other_types_are_refused_as_a_whole(array: NDArray[Any]) -> None:
    with pytest.raises(Flawed) as refused:
        float64(array, missing=True)
    assert [(flaw.place, flaw.what) for flaw in refused.value.flaws] == [((), f"is of type {array.dtype}")]


@pytest.mark.parametrize(
    "array",
    [
        np.ma.MaskedArray([[1.0, 99.0], [3.0, 4.0]], MASK),
        np.ma.MaskedArray([[1, 99], [3, 4]], MASK),
        np.ma.MaskedArray([[1.0, np.inf], [3.0, 4.0]], MASK),
        np.ma.MaskedArray(np.array([[1, "hidden"], [3, 4]], object), MASK),
    ],
    ids=["floats", "integers", "infinite", "objects"],
)
def test_masked_cells_are_missing_whatever_their_value(array: NDArray[Any]) -> None:
    np.testing.assert_array_equal(float64(array, missing=True), [[1, np.nan], [3, 4]])
    with pytest.raises(Flawed) as refused:
        float64(array)
    assert [(flaw.place, flaw.what) for flaw in refused.value.flaws] == [((0, 1), "is missing")]


def test_infinite_cells_are_refused_also_where_cells_may_be_missing() -> None:
    for array in (np.array([np.nan, np.inf]), np.array([None, 10**400], object), np.array([0, "1e400"], np.longdouble)):
        with pytest.raises(Flawed) as refused:
            float64(array, missing=True)
        assert [flaw.place for flaw in refused.value.flaws] == [(1,)]


def test_first_bad_cells_of_many_are_named() -> None:
    for array in (np.full(1000, np.nan), np.full(1000, "red", object)):
        with pytest.raises(Flawed) as refused:
            float64(array)
        assert [flaw.place for flaw in refused.value.flaws] == [(i,) for i in range(MAX_REPORTED_NUMBERS)]


def test_message_lists_every_position_and_each_remedy_once() -> None:
    flaws = [Flaw((0,), "is a", "Do this."), Flaw((1,), "is b", "Do that."), Flaw((2,), "is a", "Do this.")]
    assert sentence(flaws, ["x[0]", "x[1]", "x[2]"]) == "x[0] is a; x[1] is b; x[2] is a. Do this. Do that."


def test_missing_labels_are_recognised() -> None:
    assert all(map(is_missing, [None, float("nan"), np.float64("nan"), pd.NA, pd.NaT, np.datetime64("NaT")]))
    assert not any(map(is_missing, ["", "nan", 0, False, np.str_("a"), datetime(2026, 1, 2, tzinfo=UTC)]))
