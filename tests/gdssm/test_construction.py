"""One constructed layer is one literal gradient step."""

import pytest
import torch

from gdssm import reference
from gdssm.construction import one_step, one_step_from
from gdssm.layer import GDSSMLayer
from gdssm.tokens import interleave
from gdssm.window import slide
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, N, context, initial_weight, ones

DTYPES = [torch.float64, torch.float32]
LENGTHS = [1, 2, 7, 101, 10_000]


def predictions(layer: GDSSMLayer, x: torch.Tensor, y: torch.Tensor, x_query: torch.Tensor) -> torch.Tensor:
    output, _ = layer.scan(slide(interleave(x, y, x_query)), ones(x), layer.empty_state(B))
    return output[..., x.shape[-1] :].detach()


def literal(
    x: torch.Tensor, y: torch.Tensor, x_query: torch.Tensor, learning_rate: float, weight: torch.Tensor
) -> torch.Tensor:
    steps = [
        reference.gradient_descent(*tensors, [learning_rate], weight) for tensors in zip(x, y, x_query, strict=True)
    ]
    return torch.stack(steps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("outputs", [1, K])
def test_one_layer_is_one_step_from_zero(length: int, outputs: int, dtype: torch.dtype) -> None:
    x, y, x_query = context(length, queries=1, outputs=outputs, dtype=dtype)
    actual = predictions(one_step(D, outputs, 0.3, dtype), x, y, x_query)
    expected = literal(x, y, x_query, 0.3, torch.zeros(D, outputs, dtype=dtype))
    assert_close(actual[:, -1:], expected, "prediction")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("outputs", [1, K])
def test_one_layer_is_one_step_from_any_weight(length: int, outputs: int, dtype: torch.dtype) -> None:
    x, y, x_query = context(length, queries=1, outputs=outputs, dtype=dtype)
    weight = initial_weight(D, outputs, dtype)
    actual = predictions(one_step_from(weight, 0.3), x, y, x_query)
    assert_close(actual[:, -1:], literal(x, y, x_query, 0.3, weight), "prediction")


def test_the_prediction_at_every_position_is_a_step_on_the_pairs_before_it() -> None:
    x, y, x_query = context(queries=1)
    weight = initial_weight()
    actual = predictions(one_step_from(weight, 0.3), x, y, x_query)
    following = torch.cat([x[:, 1:], x_query], dim=1)
    for i in range(1, N + 1):
        expected = literal(x[:, :i], y[:, :i], following[:, i - 1 : i], 0.3, weight)
        assert_close(actual[:, i - 1 : i], expected, f"prediction after {i} pairs")


def test_dividing_by_anything_but_the_observations_is_another_model() -> None:
    x, y, x_query = context(queries=1)
    actual = predictions(one_step(D, K, 0.3, torch.float64), x, y, x_query)[:, -1:]
    by_state_size = actual * N / (D + K)
    expected = literal(x, y, x_query, 0.3, torch.zeros(D, K, dtype=torch.float64))
    with pytest.raises(AssertionError, match="differs"):
        assert_close(by_state_size, expected, "prediction")
