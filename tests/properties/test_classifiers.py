"""Streaming classifiers: a context is a set of weighted observations, and probabilities form a distribution."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol, Self

import numpy as np
import pytest
import torch
from hypothesis import given

from gdssm.cross_entropy import OneStepClassifier
from gdssm.prior import BUFFERED
from tests.closeness import assert_close
from tests.properties.backends import OnnxBackend, State, backend
from tests.properties.cases import WITH_FEATURES, Array, Case, cases


class Classifier(Protocol):
    """A model by arrays, its state carried from call to call."""

    def observe(self, x: Array, y: Array, weight: Array) -> Self:
        """Add observations."""

    def predict(self, x_query: Array) -> Array:
        """Give queries the probabilities of the classes."""


class Shipped:
    """A file of the zoo."""

    def __init__(self, name: str, _: Case) -> None:
        self.model = backend(OnnxBackend, name)
        self.state: State = {}

    def observe(self, x: Array, y: Array, weight: Array) -> Self:
        self.state = self.model.observe(x, y, weight, self.state)
        return self

    def predict(self, x_query: Array) -> Array:
        return self.model.predict(self.state, x_query)


class FromAnyWeight:
    """One step from W₀ other than zero with an intercept, which no file has."""

    def __init__(self, case: Case) -> None:
        self.model = OneStepClassifier(0.1, any_weight(case), intercept=True)
        self.state = self.model.empty_state(case.x.shape[0], case.x.shape[2], case.y.shape[2])

    def observe(self, x: Array, y: Array, weight: Array) -> Self:
        self.state = self.model.observe(self.state, *_tensors(x, y, weight))
        return self

    def predict(self, x_query: Array) -> Array:
        with torch.no_grad():
            tensor = self.model.predict(self.state, *_tensors(x_query, np.zeros(())))
        probability: Array = tensor.numpy()
        return probability


def _tensors(*arrays: Array) -> Iterator[torch.Tensor]:
    return (torch.as_tensor(np.asarray(array)) for array in arrays)


Start = Callable[[Case], Classifier]


def any_weight(case: Case) -> torch.Tensor:
    """W₀ (D + 1, K), other than zero."""
    rows, classes = case.x.shape[2] + 1, case.y.shape[2]
    return torch.linspace(-1.0, 1.0, rows * classes, dtype=torch.float64).square().reshape(rows, classes)


every_classifier = pytest.mark.parametrize(
    "start",
    [
        partial(Shipped, "softmax-1"),
        FromAnyWeight,
        partial(Shipped, "classifier-1.0.0"),
        partial(Shipped, "classifier"),
    ],
    ids=["one step", "one step from W₀ with an intercept", "least squares", "evidence"],
)


@pytest.mark.slow
@every_classifier
@given(case=cases())
def test_probabilities_are_a_distribution(start: Start, case: Case) -> None:
    probability = start(case).observe(case.x, case.labels, case.weight).predict(case.x_query)
    assert (probability >= 0).all()
    assert_close(probability.sum(-1), np.ones(case.x_query.shape[:2]), "sum of the probabilities")


@pytest.mark.slow
@every_classifier
@given(case=cases())
def test_the_order_of_observations_does_not_matter(start: Start, case: Case) -> None:
    y, order = case.labels, case.generator.permutation(case.x.shape[1])
    expected = start(case).observe(case.x, y, case.weight).predict(case.x_query)
    shuffled = start(case).observe(case.x[:, order], y[:, order], case.weight[:, order])
    assert_close(shuffled.predict(case.x_query), expected, "probabilities", rtol=WITH_FEATURES)


@pytest.mark.slow
@every_classifier
@given(case=cases())
def test_observing_parts_equals_observing_all(start: Start, case: Case) -> None:
    y, cut = case.labels, int(case.generator.integers(0, case.x.shape[1] + 1))
    whole = start(case).observe(case.x, y, case.weight)
    parts = start(case).observe(case.x[:, :cut], y[:, :cut], case.weight[:, :cut])
    parts.observe(case.x[:, cut:], y[:, cut:], case.weight[:, cut:])
    assert_close(parts.predict(case.x_query), whole.predict(case.x_query), "probabilities", rtol=WITH_FEATURES)


@pytest.mark.slow
@every_classifier
@given(case=cases())
def test_negative_weight_undoes_a_positive_one(start: Start, case: Case) -> None:
    y = case.labels
    expected = start(case).observe(case.x, y, case.weight).predict(case.x_query)
    size = len(y), min(y.shape[1], (BUFFERED - y.shape[1]) // 2)  # so that the scale of features is not fixed yet
    wrong_x = 3 * case.generator.normal(size=(*size, case.x.shape[2]))
    wrong, ones = (wrong_x, np.eye(y.shape[2])[case.generator.integers(0, y.shape[2], size)]), np.ones(size)
    cleaned = start(case).observe(case.x, y, case.weight)
    cleaned.observe(*wrong, ones).observe(*wrong, -ones)
    assert_close(cleaned.predict(case.x_query), expected, "probabilities", rtol=1e-6)


@pytest.mark.slow
@every_classifier
@given(case=cases())
def test_padding_changes_no_probability(start: Start, case: Case) -> None:
    y = case.labels
    expected = start(case).observe(case.x, y, case.weight).predict(case.x_query)
    x_padded, y_padded = (np.concatenate([array, np.full_like(array[:, :1], 7.0)], 1) for array in (case.x, y))
    padded = start(case).observe(x_padded, y_padded, np.pad(case.weight, ((0, 0), (0, 1))))
    assert_close(padded.predict(case.x_query), expected, "probabilities", rtol=WITH_FEATURES)


@pytest.mark.slow
@every_classifier
@given(case=cases())
def test_prediction_does_not_depend_on_other_queries(start: Start, case: Case) -> None:
    model = start(case).observe(case.x, case.labels, case.weight)
    together = model.predict(case.x_query)
    for m in range(case.x_query.shape[1]):
        assert_close(model.predict(case.x_query[:, m : m + 1]), together[:, m : m + 1], "alone", rtol=WITH_FEATURES)
