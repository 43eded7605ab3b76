import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.tasks.linear import SparseLinear
from tests.gdssm.evaluation.statistical import assert_mean


def weights(task: SparseLinear) -> Array:
    batch = task.sample(np.random.default_rng(0), 2000, 11, 2)
    W = np.linalg.pinv(batch.x) @ batch.y
    np.testing.assert_allclose(batch.x_query @ W, batch.y_query, atol=1e-7)
    W[np.abs(W) < 1e-9] = 0
    return np.asarray(W, dtype=np.float64)


@pytest.mark.parametrize("nonzeros", [1, 2, 7])
def test_every_output_has_the_stated_number_of_inputs(nonzeros: int) -> None:
    W = weights(SparseLinear(inputs=7, outputs=3, nonzeros=nonzeros))
    assert np.array_equal(np.count_nonzero(W, axis=1), np.full((2000, 3), nonzeros))


def test_every_input_is_as_likely_as_any_other() -> None:
    chosen = (weights(SparseLinear(inputs=7, outputs=3, nonzeros=2)) != 0).astype(np.float64)
    for place in range(7):
        assert_mean(chosen[:, place], 2 / 7)


def test_outputs_choose_their_own_inputs() -> None:
    chosen = weights(SparseLinear(inputs=7, outputs=3, nonzeros=2)) != 0
    assert np.any(chosen[..., 0] != chosen[..., 1], axis=1).mean() > 0.9


def test_weights_have_the_stated_scale() -> None:
    W = weights(SparseLinear(inputs=7, nonzeros=2, weight_scale=3.0))
    assert_mean(W[W != 0] ** 2, 9.0)


def test_more_nonzeros_than_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^nonzeros is 6; it must be at most inputs, which is 5"):
        SparseLinear(inputs=5, nonzeros=6)
    with pytest.raises(ValueError, match=r"^nonzeros is 0"):
        SparseLinear(nonzeros=0)
