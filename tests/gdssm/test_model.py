"""Stacked steps against literal ones."""

import pytest
import torch

from gdssm import reference
from gdssm.mini_batch import MiniBatchDescent
from gdssm.model import LINE_SEARCH, GradientDescent
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, N, context, initial_weight, ones

NO_RATE = torch.zeros((), dtype=torch.float64)


def literal(
    x: torch.Tensor, y: torch.Tensor, x_query: torch.Tensor, rates: list[float], weight: torch.Tensor
) -> torch.Tensor:
    contexts = zip(x, y, x_query, strict=True)
    return torch.stack([reference.gradient_descent(*tensors, rates, weight) for tensors in contexts])


def answer(
    model: GradientDescent, x: torch.Tensor, y: torch.Tensor, x_query: torch.Tensor, rate: torch.Tensor = NO_RATE
) -> torch.Tensor:
    state = model.observe(model.empty_state(B, x.shape[-1], y.shape[-1]), x, y, ones(x))
    return model.predict(state, x_query, rate).detach()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 16])
@pytest.mark.parametrize("length", [1, 7, 10_000])
@pytest.mark.parametrize("outputs", [1, K])
def test_k_layers_are_k_steps(steps: int, length: int, outputs: int, dtype: torch.dtype) -> None:
    x, y, x_query = context(length, outputs=outputs, dtype=dtype)
    rates = [0.02 + 0.01 * k for k in range(steps)]
    weight = initial_weight(D, outputs, dtype)
    expected = literal(x, y, x_query, rates, weight)
    assert_close(answer(GradientDescent(rates, weight, dtype), x, y, x_query), expected, "prediction")


@pytest.mark.parametrize("steps", [1, 8])
def test_steps_start_at_zero_by_default(steps: int) -> None:
    x, y, x_query = context()
    zero = torch.zeros(D, K, dtype=torch.float64)
    expected = literal(x, y, x_query, [0.05] * steps, zero)
    assert_close(answer(GradientDescent([0.05] * steps), x, y, x_query), expected, "prediction")


def test_a_given_learning_rate_is_that_of_every_step() -> None:
    x, y, x_query = context()
    given = torch.tensor(0.05, dtype=torch.float64)
    expected = literal(x, y, x_query, [0.05] * 3, torch.zeros(D, K, dtype=torch.float64))
    assert_close(answer(GradientDescent([LINE_SEARCH, 0.3, 0.2]), x, y, x_query, given), expected, "prediction")


def test_line_search_takes_the_step_that_lowers_the_loss_most() -> None:
    x, y, _ = context()
    best = answer(GradientDescent([LINE_SEARCH]), x, y, x)
    direction = answer(GradientDescent([1.0]), x, y, x)
    for k in range(K):
        for b in range(B):
            line, target = direction[b, :, k], y[b, :, k]
            exact = (line @ target) / (line @ line)
            assert_close(best[b, :, k], exact * line, f"prediction {k} of context {b}")


@pytest.mark.parametrize("scale", [1e-140, 1e-6, 1.0, 3.0, 1e6, 1e140])
def test_line_search_does_not_diverge_at_any_scale(scale: float) -> None:
    x, y, _ = context(101)
    errors = [
        (answer(GradientDescent([LINE_SEARCH] * steps), x * scale, y, x * scale) - y).square().sum()
        for steps in (1, 8, 64)
    ]
    assert errors[0] < y.square().sum()
    assert errors[0] > errors[1] > errors[2]


def test_the_sequence_predicts_from_the_pairs_before_each_position() -> None:
    x, y, x_query = context(queries=1)
    model = GradientDescent([0.1, LINE_SEARCH, 0.05], initial_weight())
    predictions = model.sequence(x, y, x_query).detach()
    following = torch.cat([x[:, 1:], x_query], dim=1)
    for i in range(1, N + 1):
        expected = answer(model, x[:, :i], y[:, :i], following[:, i - 1 : i])
        assert_close(predictions[:, i - 1 : i], expected, f"prediction after {i} pairs")


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_layer_per_mini_batch_is_mini_batch_descent(batch_size: int, dtype: torch.dtype) -> None:
    x, y, x_query = context(dtype=dtype)
    weight = initial_weight(dtype=dtype)
    starts = range(0, N, batch_size)
    expected = torch.stack(
        [
            reference.stochastic_gradient_descent(
                [(x[b, i : i + batch_size], y[b, i : i + batch_size]) for i in starts],
                x_query[b],
                [0.1] * len(starts),
                weight,
            )
            for b in range(B)
        ]
    )
    assert_close(MiniBatchDescent(batch_size, 0.1, weight)(x, y, x_query), expected, "prediction")
