from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from service import numbers
from service.errors import InvalidInput
from service.numbers import (
    matrix,
    number,
    tensor,
    vector,
    vector_or_matrix,
)
from service.real_numbers import BOOLEAN_REMEDY, MISSING_REMEDY, OTHER_TYPE_REMEDY, TEXT_REMEDY
from tests.closeness import assert_close

INF, NAN = float("inf"), float("nan")


def refusal(read: Callable[[object, str], object], value: object) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        read(value, "f")
    return {problem.field: problem.message for problem in refused.value.problems}


def test_integers_and_floats_become_float64() -> None:
    assert_close(vector([1, 2.5, -3], "f"), [1.0, 2.5, -3.0], "vector")
    assert_close(matrix([[1, 2], [3, 4], [5, 6]], "f"), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "matrix")
    assert vector([1], "f").dtype == matrix([[1]], "f").dtype == np.float64


def test_an_integer_of_400_digits_is_too_large_and_one_of_300_is_not() -> None:
    assert number(10**300, "f") == 1e300
    assert "too large for float64" in refusal(number, 10**400)["f"]


TOO_LARGE = "is infinite, or too large for float64. Send a finite number."


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (10**400, TOO_LARGE),
        (-(10**400), TOO_LARGE),
        (-INF, TOO_LARGE),
        (NAN, "is NaN. Leave the observation out, or fill the value in."),
    ],
)
def test_number_beyond_float64_is_refused_alone_and_in_lists(value: float, message: str) -> None:
    assert refusal(number, value) == {"f": message}
    assert refusal(vector, [1, value]) == {"f[1]": message}
    assert refusal(matrix, [[1, 2], [3, value]]) == {"f[1][1]": message}
    assert refusal(lambda cells, field: tensor(cells, [2, 2], field), [[1, 2], [3, value]]) == {"f[1][1]": message}


@pytest.mark.parametrize("value", [INF, -INF, NAN])
def test_non_finite_numbers_are_refused_with_their_position(value: float) -> None:
    assert list(refusal(vector, [1.0, value])) == ["f[1]"]
    assert list(refusal(matrix, [[1.0, 2.0], [3.0, value]])) == ["f[1][1]"]


def test_null_is_a_missing_cell_only_where_cells_may_be_missing() -> None:
    np.testing.assert_array_equal(vector([1, None], "f", missing=True), [1, NAN])
    np.testing.assert_array_equal(matrix([[None, 2], [3, None]], "f", missing=True), [[NAN, 2], [3, NAN]])
    np.testing.assert_array_equal(matrix([[None]], "f", missing=True), [[NAN]])
    np.testing.assert_array_equal(tensor([[1, None], [3, 4]], [2, 2], "f", missing=True), [[1, NAN], [3, 4]])
    assert refusal(matrix, [[1, None]]) == {"f[0][1]": f"must be a number; this is null. {MISSING_REMEDY}"}


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (NAN, "is NaN, which is not JSON. Send null for a missing cell."),
        (INF, "is infinite, or too large for float64. Send a finite number."),
        ("", f"must be a number; this is the text ''. {TEXT_REMEDY}"),
        (False, f"must be a number; this is false. {BOOLEAN_REMEDY}"),
    ],
)
def test_nothing_but_null_is_a_missing_cell(cell: object, message: str) -> None:
    assert refusal(partial(matrix, missing=True), [[1, None], [None, cell]]) == {"f[1][1]": message}


@pytest.mark.parametrize(
    ("value", "name", "remedy"),
    [
        ("1", "the text '1'", TEXT_REMEDY),
        (True, "true", BOOLEAN_REMEDY),
        (False, "false", BOOLEAN_REMEDY),
        ([1], "a list", OTHER_TYPE_REMEDY),
        ({}, "an object", OTHER_TYPE_REMEDY),
    ],
)
def test_non_numbers_are_described_in_json_terms_with_a_remedy(value: object, name: str, remedy: str) -> None:
    assert refusal(vector, [0.5, value])["f[1]"] == f"must be a number; this is {name}. {remedy}"
    assert refusal(number, value)["f"] == f"must be a number; this is {name}. {remedy}"


def test_message_for_null_says_to_fill_in_or_leave_out() -> None:
    assert refusal(vector, [0.5, None])["f[1]"] == f"must be a number; this is null. {MISSING_REMEDY}"
    assert refusal(number, None)["f"] == "must be a number; this is null. Send one, or leave it out."


def test_ragged_rows_are_named() -> None:
    assert refusal(matrix, [[1, 2], [3], [4, 5], [6, 7, 8]]) == {
        "f[1]": "has 1 numbers; row 0 has 2. Send rows of one width.",
        "f[3]": "has 3 numbers; row 0 has 2. Send rows of one width.",
    }


def test_rows_must_be_lists_and_not_empty() -> None:
    assert list(refusal(matrix, [[1], 2, []])) == ["f[1]", "f[2]"]


@pytest.mark.parametrize("read", [vector, matrix, vector_or_matrix])
@pytest.mark.parametrize("value", [[], {}, "text", 3, None])
def test_empty_list_is_refused(read: Callable[[object, str], object], value: object) -> None:
    assert list(refusal(read, value)) == ["f"]


def test_first_element_decides_between_numbers_and_rows() -> None:
    assert vector_or_matrix([1, 2], "f").shape == (2,)
    assert vector_or_matrix([[1], [2]], "f").shape == (2, 1)
    assert list(refusal(vector_or_matrix, [1, [2]])) == ["f[1]"]
    assert list(refusal(vector_or_matrix, [[1], 2])) == ["f[1]"]


def test_first_bad_cells_of_many_are_named() -> None:
    assert list(refusal(vector, [None] * 1000)) == [f"f[{i}]" for i in range(5)]


def test_long_lists_are_read_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "CELLS_AT_ONCE", 4)
    x = [[i, 2**64 + i, i / 7] for i in range(10)]
    assert vector(x[9] * 3, "f").tobytes() == np.array(x[9] * 3, np.float64).tobytes()
    assert matrix(x, "f").tobytes() == np.array(x, np.float64).tobytes()
    assert tensor([x, x], [2, 10, 3], "f").tobytes() == np.array([x, x], np.float64).tobytes()
    assert list(refusal(vector, [1, 2, 3, None, 4, None, None, 5, 10**400])) == ["f[3]", "f[5]", "f[6]", "f[8]"]
    assert list(refusal(matrix, [[1, 2, 3, 4, 5], [1, 2, 3, 4, "5"]])) == ["f[1][4]"]


@pytest.mark.parametrize("value", [[1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]]])
def test_tensor_data_may_be_flat_or_nested(value: object) -> None:
    np.testing.assert_array_equal(tensor(value, [2, 3], "data"), [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    ("shape", "value"), [([0, 3], []), ([2, 0], []), ([2, 0], [[], []]), ([0], []), ([1, 0, 2], [[]])]
)
def test_a_tensor_may_be_empty(shape: list[int], value: object) -> None:
    assert tensor(value, shape, "data").shape == tuple(shape)


def test_a_tensor_without_axes_is_one_number() -> None:
    assert tensor([1.5], [], "data") == np.array(1.5)


@pytest.mark.parametrize(
    ("value", "field", "words"),
    [
        (None, "data", "must be a list; this is null"),
        ([1, 2], "data", "has 2 entries; by the shape there should be 6"),
        ([[1, 2, 3]], "data", "has 1 entries; by the shape there should be 2"),
        ([[1, 2, 3], [4, 5]], "data[1]", "has 2 entries; by the shape there should be 3"),
        ([[1, 2, 3], 4], "data[1]", "must be a list; this is a number"),
        ([[1, 2, 3], [4, NAN, 6]], "data[1][1]", "is NaN"),
        ([[1, 2, 3], [4, "5", 6]], "data[1][1]", "must be a number; this is the text '5'"),
        ([1, 2, 3, [4], 5, 6], "data[3]", "must be a number; this is a list"),
    ],
)
def test_tensor_that_contradicts_its_shape_is_refused_with_the_position(value: object, field: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        tensor(value, [2, 3], "data")
    assert refusal.value.problems[0].field == field
    assert words in refusal.value.problems[0].message
