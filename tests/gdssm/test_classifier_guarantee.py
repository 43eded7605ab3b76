"""On average the classifier is no worse than 1.1 times the log loss of the class frequencies, whatever the data."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator

from tests.properties.backends import OnnxBackend, backend
from tests.properties.cases import Array

LONGEST, ASKED = 200, 50
AT_ONCE = 50
"""Tasks in one batch."""


def plain(_: Generator, x: Array) -> Array:
    return x


def units(rng: Generator, x: Array) -> Array:
    """From 1e-6 to 1e6."""
    return x * 10.0 ** rng.uniform(-6, 6, (len(x), 1, x.shape[2]))


def large_means(rng: Generator, x: Array) -> Array:
    """A million times the spread."""
    return x + 1e6 * rng.normal(size=(len(x), 1, x.shape[2]))


def collinear(rng: Generator, x: Array) -> Array:
    """In a plane, but for a thousandth."""
    return rng.normal(size=(*x.shape[:2], 2)) @ rng.normal(size=(len(x), 2, x.shape[2])) + 1e-3 * x


def constant_columns(_: Generator, x: Array) -> Array:
    """Every other one."""
    x = x.copy()
    x[..., ::2] = x[:, :1, ::2]
    return x


def heavy_tails(rng: Generator, x: Array) -> Array:
    """Those of Student's t with two degrees of freedom."""
    drawn: Array = rng.standard_t(2, x.shape)
    return drawn


def classify(x: Array, y: Array, weight: Array) -> Array:
    """Give queries, the rows of x after those of y, their probabilities by the file that ships, which is the model."""
    tensors = {"x": x[:, : y.shape[1]], "y": y, "weight": weight, "x_query": x[:, y.shape[1] :]}
    return backend(OnnxBackend, "classifier").run(tensors)["prediction"]


def relative_log_loss(x: Array, label: Array, observations: Array, classes: int) -> float:
    """Divide the mean log loss of fresh queries by that of the smoothed frequencies (n_c + 1)/(n + C) of the contexts.

    Args:
        x: The observations, at most LONGEST of them, and ASKED queries.
        label: Of the observations and of the queries.
        observations: How many there are in each task.
        classes: C.
    """
    longest = x.shape[1] - ASKED
    y, weight = np.eye(classes)[label], (np.arange(longest) < observations[:, None]).astype(float)
    parts = np.array_split(np.arange(len(x)), -(-len(x) // AT_ONCE))
    found = [classify(x[part], y[part, :longest], weight[part]) for part in parts]
    counts = (weight[..., None] * y[:, :longest]).sum(1)
    frequencies = (counts + 1) / (observations[:, None] + classes)
    fresh = y[:, longest:].astype(bool)
    log_loss = -np.log(np.concatenate(found)[fresh]).mean()
    of_frequencies = -np.log(np.broadcast_to(frequencies[:, None], fresh.shape)[fresh]).mean()
    return float(log_loss / of_frequencies)


@pytest.mark.slow
@pytest.mark.parametrize("signal", [0.0, 1.0], ids=["noise alone", "linear with noise"])
@pytest.mark.parametrize(("inputs", "classes", "tasks"), [(1, 2, 80), (5, 3, 80), (32, 5, 15)])
@pytest.mark.parametrize("kind", [plain, units, large_means, collinear, constant_columns, heavy_tails])
def test_it_is_never_much_worse_than_the_frequencies(
    kind: Callable[[Generator, Array], Array], inputs: int, classes: int, tasks: int, signal: float
) -> None:
    """With 1 to 200 observations, as many tasks below 14 as above."""
    rng = np.random.default_rng(inputs)
    columns = kind(rng, rng.normal(size=(tasks, LONGEST + ASKED, inputs)))
    scores = (columns - columns.mean(1, keepdims=True)) / (columns.std(1, keepdims=True) + 1e-300)
    scores = signal * scores @ rng.normal(size=(tasks, inputs, classes)) + rng.gumbel(size=(*scores.shape[:2], classes))
    observations = (LONGEST ** rng.uniform(0, 1, tasks)).round()
    assert relative_log_loss(columns, scores.argmax(2), observations, classes) < 1.1


@pytest.mark.slow
@pytest.mark.parametrize(("inputs", "classes", "observations"), [(1, 2, 10), (1, 5, 10), (1, 2, 20), (5, 2, 10)])
def test_nor_is_it_where_nine_in_ten_are_of_one_class(inputs: int, classes: int, observations: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1_000, observations + ASKED, inputs))
    label = np.where(rng.random(x.shape[:2]) < 0.9, 0, rng.integers(1, classes, x.shape[:2]))
    assert relative_log_loss(x, label, np.full(len(x), observations), classes) < 1.1
