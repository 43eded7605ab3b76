import numpy as np
import pytest

from service.errors import InvalidInput
from service.inference.artifact import Axis, TensorSpec
from service.inference.sizes import measure, shape_of, shaped


def spec(name: str, *shape: Axis) -> TensorSpec:
    return TensorSpec(name=name, dtype="float64", shape=shape, meaning="")


X, Y, STATE = spec("x", "B", "N", "D"), spec("y", "B", "N", "K"), spec("state.m", "B", "D+K")
ALL = (STATE, X, Y)


def test_every_letter_is_measured() -> None:
    sizes = measure(ALL, {"x": np.zeros((2, 7, 5)), "y": np.zeros((2, 7, 3))})
    assert sizes == {"B": 2, "N": 7, "D": 5, "K": 3, "M": 0, "D+K": 8}


def test_nothing_at_all_is_one_context_without_observations_and_queries() -> None:
    assert measure(ALL, {}) == {"B": 1, "N": 0, "M": 0}


def test_a_width_follows_from_the_state_and_the_other_width() -> None:
    assert measure(ALL, {"state.m": np.zeros((2, 8)), "x": np.zeros((2, 0, 5))})["K"] == 3
    assert measure(ALL, {"state.m": np.zeros((2, 8)), "y": np.zeros((2, 0, 3))})["D"] == 5


def test_two_tensors_that_disagree_are_both_named() -> None:
    with pytest.raises(InvalidInput, match=r"y: has N = 6, but x has 7\."):
        measure(ALL, {"x": np.zeros((2, 7, 5)), "y": np.zeros((2, 6, 3))})


def test_a_state_for_other_widths_is_refused() -> None:
    tensors = {"state.m": np.zeros((2, 9)), "x": np.zeros((2, 7, 5)), "y": np.zeros((2, 7, 3))}
    with pytest.raises(InvalidInput, match=r"D \+ K = 9"):
        measure(ALL, tensors)


def test_a_tensor_with_too_few_axes_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"x: needs the shape \(B, N, D\); this has 2 axes"):
        measure(ALL, {"x": np.zeros((7, 5))})


def test_a_size_that_the_model_fixes_is_held() -> None:
    with pytest.raises(InvalidInput, match=r"x: needs the shape \(B, N, 4\); this is \(2, 7, 5\)"):
        measure([spec("x", "B", "N", 4)], {"x": np.zeros((2, 7, 5))})


def test_a_shape_is_worked_out_from_the_sizes() -> None:
    assert shape_of(spec("s", "B", 3, "D+K"), {"B": 2, "D+K": 8}) == (2, 3, 8)


def test_a_shape_that_nothing_tells_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no other tensor has D, K"):
        shape_of(spec("s", "B", "D", "K"), {"B": 2})


@pytest.mark.parametrize("shape", [(2**31 - 1, 2**31 - 1, 2**31 - 1, 0), (2**62, 0, 2**62)])
def test_a_shape_larger_than_any_array_is_refused_though_it_is_empty(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match="larger than any array"):
        shaped(np.zeros(0), shape, "x")
