"""The classifiers that stream: a context is a set of weighted observations, and every answer a distribution."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given

from gdssm.cross_entropy import OneStepClassifier
from gdssm.least_squares import LeastSquaresClassifier
from tests.closeness import assert_close
from tests.properties.cases import ROUNDING, Array, Case, cases


class Streaming:
    """A classifier by arrays, its state carried from call to call."""

    def __init__(self, model: OneStepClassifier | LeastSquaresClassifier, case: Case) -> None:
        self.model = model
        self.state: tuple[torch.Tensor, ...] = model.empty_state(case.x.shape[0], case.x.shape[2], case.y.shape[2])
        self.rate = [torch.zeros((), dtype=torch.float64)] if isinstance(model, OneStepClassifier) else []

    def observe(self, x: Array, y: Array, weight: Array) -> "Streaming":
        tensors = (torch.from_numpy(np.ascontiguousarray(array)) for array in (x, y, weight))
        self.state = self.model.observe(self.state, *tensors)  # type: ignore[arg-type]  # each has its own state
        return self

    def predict(self, x_query: Array) -> Array:
        with torch.no_grad():
            tensor = self.model.predict(self.state, torch.from_numpy(x_query), *self.rate)  # type: ignore[arg-type]
        probability: Array = tensor.numpy()
        return probability


Start = Callable[[Case], Streaming]


def any_weight(case: Case) -> torch.Tensor:
    """W₀ (D + 1, K), other than zero."""
    rows, classes = case.x.shape[2] + 1, case.y.shape[2]
    return torch.linspace(-1.0, 1.0, rows * classes, dtype=torch.float64).square().reshape(rows, classes)


every_classifier = pytest.mark.parametrize(
    "start",
    [
        lambda case: Streaming(OneStepClassifier(), case),
        lambda case: Streaming(OneStepClassifier(0.1, any_weight(case), intercept=True), case),
        lambda case: Streaming(LeastSquaresClassifier(8), case),
    ],
    ids=["one step", "one step from W₀ with an intercept", "least squares"],
)


def one_hot(y: Array) -> Array:
    rows: Array = np.eye(y.shape[-1])[y.argmax(-1)]
    return rows


@every_classifier
@given(case=cases())
def test_every_answer_is_a_distribution(start: Start, case: Case) -> None:
    probability = start(case).observe(case.x, one_hot(case.y), case.weight).predict(case.x_query)
    assert (probability >= 0).all()
    assert_close(probability.sum(-1), np.ones(case.x_query.shape[:2]), "sum of the probabilities")


@every_classifier
@given(case=cases())
def test_the_order_of_observations_does_not_matter(start: Start, case: Case) -> None:
    y, order = one_hot(case.y), case.generator.permutation(case.x.shape[1])
    expected = start(case).observe(case.x, y, case.weight).predict(case.x_query)
    shuffled = start(case).observe(case.x[:, order], y[:, order], case.weight[:, order])
    assert_close(shuffled.predict(case.x_query), expected, "probabilities", rtol=ROUNDING)


@every_classifier
@given(case=cases())
def test_a_part_after_a_part_is_the_whole(start: Start, case: Case) -> None:
    y, cut = one_hot(case.y), int(case.generator.integers(0, case.x.shape[1] + 1))
    whole = start(case).observe(case.x, y, case.weight)
    parts = start(case).observe(case.x[:, :cut], y[:, :cut], case.weight[:, :cut])
    parts.observe(case.x[:, cut:], y[:, cut:], case.weight[:, cut:])
    assert_close(parts.predict(case.x_query), whole.predict(case.x_query), "probabilities", rtol=ROUNDING)


@every_classifier
@given(case=cases())
def test_a_negative_weight_undoes_a_positive_one(start: Start, case: Case) -> None:
    y = one_hot(case.y)
    expected = start(case).observe(case.x, y, case.weight).predict(case.x_query)
    wrong = case.generator.normal(size=case.x.shape) * 3, one_hot(case.generator.normal(size=case.y.shape))
    cleaned = start(case).observe(case.x, y, case.weight)
    cleaned.observe(*wrong, np.ones(case.weight.shape)).observe(*wrong, -np.ones(case.weight.shape))
    assert_close(cleaned.predict(case.x_query), expected, "probabilities", rtol=1e-6)


@every_classifier
@given(case=cases())
def test_padding_is_nothing(start: Start, case: Case) -> None:
    y = one_hot(case.y)
    expected = start(case).observe(case.x, y, case.weight).predict(case.x_query)
    x_padded, y_padded = (np.concatenate([array, np.full_like(array[:, :1], 7.0)], 1) for array in (case.x, y))
    padded = start(case).observe(x_padded, y_padded, np.pad(case.weight, ((0, 0), (0, 1))))
    assert_close(padded.predict(case.x_query), expected, "probabilities", rtol=ROUNDING)


@every_classifier
@given(case=cases())
def test_a_query_does_not_see_its_neighbours(start: Start, case: Case) -> None:
    model = start(case).observe(case.x, one_hot(case.y), case.weight)
    together = model.predict(case.x_query)
    for m in range(case.x_query.shape[1]):
        assert_close(model.predict(case.x_query[:, m : m + 1]), together[:, m : m + 1], "alone", rtol=ROUNDING)
