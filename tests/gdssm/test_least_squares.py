"""Class probabilities from least squares: the right class, and no more certainty than there is reason for."""

import pytest
import torch
from torch import Tensor, nn

from gdssm.least_squares import LeastSquaresClassifier
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, M, context

C = 3


def blobs(observations: int, distance: float, classes: int = C, inputs: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    """Normal classes equally far apart: x, one-hot y, and the means."""
    generator = torch.Generator().manual_seed(observations)
    means = distance * torch.eye(classes, inputs, dtype=torch.float64)
    label = torch.arange(observations) % classes
    noise = torch.randn(1, observations, inputs, dtype=torch.float64, generator=generator)
    return means[label] + noise, nn.functional.one_hot(label, classes).double()[None], means


def answer(model: LeastSquaresClassifier, x: Tensor, y: Tensor, x_query: Tensor) -> Tensor:
    state = model.observe(model.empty_state(x.shape[0], x.shape[-1], y.shape[-1]), x, y, x.new_ones(x.shape[:2]))
    return model.predict(state, x_query)


@pytest.mark.parametrize("distance", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_many_observations_give_the_posterior_of_normal_classes(classes: int, distance: float) -> None:
    x, y, means = blobs(30_000, distance, classes)
    x_query = blobs(101, distance, classes)[0]
    posterior = torch.softmax(-0.5 * (x_query[:, :, None] - means).square().sum(-1), -1)
    probability = answer(LeastSquaresClassifier(50), x, y, x_query)
    assert (probability - posterior).abs().max() < 0.05


@pytest.mark.parametrize("length", [0, 1, 2, 7, 101])
def test_they_are_probabilities_none_of_them_zero(length: int) -> None:
    x, scores, x_query = context(length, outputs=C)
    y = nn.functional.one_hot(scores.argmax(-1), C).double()
    probability = answer(LeastSquaresClassifier(8), x, y, 10 * x_query)
    assert (probability > 0).all()
    assert_close(probability.sum(-1), torch.ones(B, M, dtype=torch.float64), "sum of the probabilities")


def test_nothing_observed_is_uniform() -> None:
    x, y, x_query = context(outputs=C)
    probability = answer(LeastSquaresClassifier(8), x[:, :0], y[:, :0], x_query)
    assert_close(probability, torch.full((B, M, C), 1 / C, dtype=torch.float64), "probabilities")


def test_one_observation_makes_its_class_likelier_and_no_more() -> None:
    x, y, _ = blobs(1, 1.0)
    probability = answer(LeastSquaresClassifier(8), x, y, x)[0, 0]
    assert probability.argmax() == y[0, 0].argmax()
    assert probability.max() < 0.75


def test_labels_without_a_reason_leave_the_shares() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 3000, D, dtype=torch.float64, generator=generator)
    label = torch.randint(4, (1, 3000), generator=generator).clamp(max=1)
    y = nn.functional.one_hot(label, 2).double()
    probability = answer(LeastSquaresClassifier(8), x, y, x[:, :50])
    assert (probability - y.mean(1)).abs().max() < 0.1


def test_units_and_location_do_not_matter() -> None:
    x, y, _ = blobs(31, 2.0)
    expected = answer(LeastSquaresClassifier(8), x, y, x)
    moved = x * torch.tensor([1e-4, 1.0, 1e4, -1.0], dtype=torch.float64) + 1e3
    assert_close(answer(LeastSquaresClassifier(8), moved, y, moved), expected, "probabilities", rtol=1e-6)


def test_one_class_alone_is_certain() -> None:
    x, _, x_query = context()
    probability = answer(LeastSquaresClassifier(8), x, x.new_ones(*x.shape[:2], 1), x_query)
    assert_close(probability, torch.ones(B, M, 1, dtype=torch.float64), "probabilities")


def test_a_constant_column_is_left_out() -> None:
    x, y, _ = blobs(31, 2.0)
    constant = nn.functional.pad(x, (0, 1), value=0.1)
    expected = answer(LeastSquaresClassifier(8), x, y, x)
    assert_close(answer(LeastSquaresClassifier(8), constant, y, constant), expected, "probabilities", rtol=1e-9)
