"""Half of a symmetric matrix is enough, to the bit; and nothing else of a state is lost."""

import numpy as np
import pytest

from service.inference.predictor import Observations
from service.inference.sizes import Array
from service.states.tensors import (
    BUFFER,
    CACHED_SIZE_LIMIT,
    COMOMENT,
    UPPER,
    canonical,
    compact,
    full,
    unpacked,
    upper,
    with_buffer,
)
from tests.service.kept import draw
from tests.service.states.test_context_state import SETS, observations, remember


def bits(tensors: dict[str, Array]) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    return {name: (str(tensor.dtype), tensor.shape, tensor.tobytes()) for name, tensor in tensors.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [0, 1, 2, 7, CACHED_SIZE_LIMIT + 1])
def test_a_symmetric_matrix_is_its_upper_half(size: int, dtype: str) -> None:
    half = np.random.default_rng(size).normal(size=(2, size, size)).astype(dtype)
    whole = np.triu(half) + np.triu(half, 1).swapaxes(1, 2)
    packed = upper(whole)
    assert packed.shape == (2, size * (size + 1) // 2)
    assert bits({"": full(packed)}) == bits({"": whole})


def test_the_half_is_read_row_by_row() -> None:
    assert upper(np.array([[1.0, 2.0, 3.0], [9.0, 4.0, 5.0], [9.0, 9.0, 6.0]])).tolist() == [1, 2, 3, 4, 5, 6]


def test_a_minus_zero_stays_one() -> None:
    assert np.signbit(full(upper(np.full((3, 3), -0.0)))).all()


@pytest.mark.parametrize("numbers", [2, 4, 5])
def test_what_is_half_of_nothing_is_refused(numbers: int) -> None:
    with pytest.raises(ValueError, match=f"{numbers} numbers are half of no symmetric matrix"):
        full(np.ones((1, numbers)))


@pytest.mark.parametrize("length", [7, 40])
@pytest.mark.parametrize("name", SETS)
def test_a_canonical_state_is_compacted_without_loss(name: str, length: int) -> None:
    learnt = remember(name, weighted(observations(name, 3, length)[0])).tensors
    assert learnt is not None
    state = canonical(learnt)
    for tensor, array in state.items():
        scale = np.abs(array).max(initial=0.0)
        np.testing.assert_allclose(array, learnt[tensor], rtol=0, atol=1e-12 * scale, err_msg=tensor)
    assert bits(canonical(state)) == bits(state)
    shapes = {tensor: (str(array.dtype), array.shape) for tensor, array in state.items()}
    assert bits(with_buffer(unpacked(compact(state)), shapes)) == bits(state)


def weighted(context: Observations) -> Observations:
    """With weights that are no whole numbers, sums are rounded in the order of their factors."""
    return Observations(context.x, context.y, np.random.default_rng(5).uniform(0.1, 2.0, len(context.x)))


@pytest.mark.parametrize(("length", "written"), [(7, {"state.buffer", "state.buffer_weight"}), (40, set())])
def test_a_buffer_is_written_while_there_is_something_in_it(length: int, written: set[str]) -> None:
    state = remember("nonlinear", draw(1, length)).tensors
    assert state is not None
    tensors = compact(canonical(state))
    assert tensors.keys() & set(BUFFER) == written
    assert UPPER in tensors
    assert COMOMENT not in tensors
