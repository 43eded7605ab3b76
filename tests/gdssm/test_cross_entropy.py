"""In-context classification against literal autograd steps, and what streams, streamed."""

import itertools

import pytest
import torch
from torch import Tensor, nn

from gdssm import reference
from gdssm.cross_entropy import SAFE_STEP, CrossEntropyDescent, OneStepClassifier
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, M, N, context, initial_weight, ones
from tests.nonempty import nonempty

C = 3
GIVEN_NONE = torch.zeros((), dtype=torch.float64)


def labelled(
    observations: int = N, classes: int = C, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x, one-hot y, weights and x_query."""
    x, scores, x_query = context(observations, outputs=classes, dtype=dtype)
    y = nn.functional.one_hot(scores.argmax(-1), classes).to(dtype)
    weight = torch.rand(B, observations, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) + 0.5
    return x, y, weight.to(dtype), x_query


def literal(data: tuple[Tensor, Tensor, Tensor, Tensor], rates: list[float], weight: Tensor) -> Tensor:
    contexts = zip(*data, strict=True)
    return torch.stack(
        [reference.cross_entropy_descent(x, y, x_query, rates, weight, weight=w) for x, y, w, x_query in contexts]
    )


def stream(model: OneStepClassifier, data: tuple[Tensor, Tensor, Tensor, Tensor], rate: Tensor = GIVEN_NONE) -> Tensor:
    x, y, weight, x_query = data
    state = model.observe(model.empty_state(B, x.shape[-1], y.shape[-1]), x, y, weight)
    return model.predict(state, x_query, rate).detach()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("length", [1, 7, 1000])
@pytest.mark.parametrize("classes", [2, 3, 11])
def test_k_passes_are_k_literal_steps(steps: int, length: int, classes: int, dtype: torch.dtype) -> None:
    data = labelled(length, classes, dtype)
    rates = [0.3 + 0.1 * k for k in range(steps)]
    weight = initial_weight(D, classes, dtype)
    model = CrossEntropyDescent(rates, weight, dtype=dtype)
    assert_close(model(*data, GIVEN_NONE.to(dtype)), literal(data, rates, weight), "probabilities")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("length", [1, 7, 1000])
@pytest.mark.parametrize("classes", [2, 3, 11])
@pytest.mark.parametrize("from_zero", [True, False])
def test_one_step_streams(length: int, classes: int, from_zero: bool, dtype: torch.dtype) -> None:
    data = labelled(length, classes, dtype)
    weight = torch.zeros(D, classes, dtype=dtype) if from_zero else initial_weight(D, classes, dtype)
    model = OneStepClassifier(0.7, None if from_zero else weight, dtype=dtype)
    assert_close(stream(model, data, GIVEN_NONE.to(dtype)), literal(data, [0.7], weight), "probabilities")


@pytest.mark.parametrize("steps", [1, 4])
def test_an_intercept_is_a_constant_feature(steps: int) -> None:
    x, y, weight, x_query = labelled()
    with_one = nn.functional.pad(x, (0, 1), value=1.0), y, weight, nn.functional.pad(x_query, (0, 1), value=1.0)
    start = initial_weight(D + 1, C)
    expected = literal(with_one, [0.7] * steps, start)
    descent = CrossEntropyDescent([0.7] * steps, start, intercept=True)
    assert_close(descent(x, y, weight, x_query, GIVEN_NONE), expected, "probabilities")
    if steps == 1:
        one_step = OneStepClassifier(0.7, start, intercept=True)
        assert_close(stream(one_step, (x, y, weight, x_query)), expected, "probabilities of one step")


def test_a_given_learning_rate_is_that_of_every_step() -> None:
    data = labelled()
    given = torch.tensor(0.4, dtype=torch.float64)
    zero = torch.zeros(D, C, dtype=torch.float64)
    descent = CrossEntropyDescent([SAFE_STEP, 0.9, 0.2])
    assert_close(descent(*data, given), literal(data, [0.4] * 3, zero), "probabilities")
    assert_close(stream(OneStepClassifier(), data, given), literal(data, [0.4], zero), "probabilities of one step")


@pytest.mark.parametrize("scale", [1e-3, 1.0, 3.0, 1e3])
def test_safe_steps_never_raise_the_loss(scale: float) -> None:
    x, y, weight, _ = labelled(101)

    def loss(steps: int) -> Tensor:
        probability: Tensor = CrossEntropyDescent([SAFE_STEP] * steps)(x * scale, y, weight, x * scale, GIVEN_NONE)
        likelihood = (weight * (y * probability).sum(-1).log()).sum() / weight.sum()
        return -likelihood

    losses = [loss(steps) for steps in range(10)]
    assert all(after < before for before, after in nonempty(itertools.pairwise(losses)))


def test_the_safe_step_is_the_same_for_both() -> None:
    data = labelled()
    start = initial_weight(D, C)
    one_shot = CrossEntropyDescent([SAFE_STEP], start)(*data, GIVEN_NONE)
    assert_close(stream(OneStepClassifier(SAFE_STEP, start), data), one_shot, "probabilities")


def test_without_observations_the_initial_weight_predicts() -> None:
    x, y, weight, x_query = labelled()
    none = x[:, :0], y[:, :0], weight[:, :0], x_query
    uniform = torch.full((B, M, C), 1 / C, dtype=torch.float64)
    prior = torch.softmax(x_query @ initial_weight(D, C), -1)
    assert_close(stream(OneStepClassifier(), none), uniform, "probabilities")
    assert_close(CrossEntropyDescent([SAFE_STEP] * 3)(*none, GIVEN_NONE), uniform, "probabilities")
    assert_close(stream(OneStepClassifier(0.3, initial_weight(D, C)), none), prior, "probabilities")


def test_no_query_has_no_answer() -> None:
    x, y, weight, x_query = labelled()
    assert stream(OneStepClassifier(), (x, y, weight, x_query[:, :0])).shape == (B, 0, C)
    assert CrossEntropyDescent([0.1, 0.1])(x, y, weight, x_query[:, :0], GIVEN_NONE).shape == (B, 0, C)


def test_k_passes_depend_on_the_weighted_set_alone() -> None:
    x, y, weight, x_query = labelled()
    model = CrossEntropyDescent([0.5] * 4)
    expected = model(x, y, weight, x_query, GIVEN_NONE)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    assert_close(model(x[:, order], y[:, order], weight[:, order], x_query, GIVEN_NONE), expected, "shuffled")
    padded = (torch.cat([tensor, torch.ones_like(tensor[:, :2])], 1) for tensor in (x, y))
    no_weight = nn.functional.pad(weight, (0, 2))
    assert_close(model(*padded, no_weight, x_query, GIVEN_NONE), expected, "padded")
    undone = (torch.cat([tensor, tensor[:, :2], tensor[:, :2]], 1) for tensor in (x, y))
    cancelled = torch.cat([weight, ones(x[:, :2]), -ones(x[:, :2])], 1)
    assert_close(model(*undone, cancelled, x_query, GIVEN_NONE), expected, "undone", rtol=1e-11)
