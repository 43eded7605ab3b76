"""y of a classification is shares of classes; cells that are missing or not finite are found."""

import numpy as np
import pytest

from service.errors import InvalidInput
from service.inference.artifact import Manifest
from service.inference.checks import DOT_SIZE, Limits, has_nan, is_finite, share_problems, share_problems_of_one
from service.inference.predictor import Observations, Predictor
from service.registry.repository import Repository
from service.states.context_state import new_state
from service.states.learning import learn

CLASSIFIERS = ["classifier", "softmax-1", "softmax-8"]
X = np.arange(12.0).reshape(6, 2)
Y = np.eye(3)[[0, 1, 2, 0, 1, 2]]


@pytest.fixture
def manifest(repository: Repository) -> Manifest:
    return repository.get("classifier").manifest


def test_shares_within_rounding_are_no_problem(manifest: Manifest) -> None:
    thirds = np.full((4, 3), 1 / 3, np.float32).astype(np.float64)
    for y in (Y, thirds, np.array([[1.0 + 5e-7, -5e-7]]), np.ones((5, 1))):
        assert share_problems(manifest, "y", y) == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0.5, 0.0, 0.0], r"sums to 0\.5; shares of classes must sum to 1"),
        ([1.0, 1.0, 0.0], r"sums to 2; shares of classes must sum to 1"),
        ([0.0, 0.0, 0.0], r"sums to 0; shares of classes must sum to 1"),
        ([1.00001, 0.0, 0.0], r"sums to 1\.00001; shares of classes must sum to 1"),
        ([1.5, 0.0, -0.5], r"has -0\.5 in column 2; shares of classes are between 0 and 1"),
        ([1e308, 1e308, 0.0], r"sums to inf; shares of classes must sum to 1"),
    ],
)
def test_a_row_that_is_no_distribution_is_named(
    repository: Repository, manifest: Manifest, row: list[float], message: str
) -> None:
    y = Y.copy()
    y[3] = row
    with pytest.raises(InvalidInput, match=rf"^y\[3\]: {message}\. Send 1 for the class") as refused:
        learn(repository.get("classifier"), Limits(9, 9), new_state(manifest, None), Observations(X, y))
    assert len(refused.value.problems) == 1
    (problem,) = share_problems_of_one(manifest, "observation.y", y[3:4])
    assert problem.field == "observation.y"


@pytest.mark.parametrize("model", CLASSIFIERS)
def test_each_classification_refuses_them_also_where_shapes_are_known_to_fit(
    repository: Repository, model: str
) -> None:
    predictor = Predictor(repository, "linear", Limits(9, 99))
    predictor.predict(model, Observations(X, Y), X)
    with pytest.raises(InvalidInput) as refused:
        predictor.predict(model, Observations(X, Y - 1.0), X)
    assert [problem.field for problem in refused.value.problems] == [f"context.y[{i}]" for i in range(5)]


def test_numbers_are_no_classes(repository: Repository) -> None:
    predictor = Predictor(repository, "linear", Limits(9, 99))
    with pytest.raises(InvalidInput, match=r"context\.y: has numbers; model classifier takes rows with one column for"):
        predictor.predict("classifier", Observations(X, Y[:, 0]), X)


def test_regressions_take_any_y(repository: Repository) -> None:
    assert share_problems(repository.get("linear").manifest, "y", 7 * Y) == []


@pytest.mark.parametrize("rows", [3, DOT_SIZE], ids=["few cells", "many cells"])
@pytest.mark.parametrize("value", [1e200, -1e308, np.inf, -np.inf, np.nan, 0.0])
def test_finite_and_missing_cells_are_told_apart_at_every_size(rows: int, value: float) -> None:
    array = np.ones((rows, 2))
    array[rows // 2, 1] = value

    assert is_finite(array) == np.isfinite(value)
    assert has_nan(array) == np.isnan(value)
    assert has_nan(array[:, :1].T) is False
