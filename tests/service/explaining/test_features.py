"""The features in numpy are those of the graph: with its weights they give its predictions."""

import numpy as np
import pytest

from service.explaining.features import PRODUCT, Features
from service.explaining.readout import fit_of_context, fit_of_state
from service.inference.predictor import Observations, run
from service.inference.sizes import Array
from service.registry.repository import Repository
from tests.closeness import assert_close

M, K = 6, 2
EXACT = 1e-12
every_size = pytest.mark.parametrize(
    ("inputs", "observations", "missing"),
    [(1, 30, 0.0), (3, 20, 0.3), (3, 50, 0.3), (5, 1, 0.0), (5, 2, 0.0), (10, 40, 0.0), (20, 60, 0.1), (70, 90, 0.0)],
)
both_models = pytest.mark.parametrize("model", ["linear", "nonlinear"])


def task(inputs: int, observations: int, missing: float = 0.0) -> tuple[Observations, Array]:
    """Columns of unlike places and scales, unequal weights, and queries of which some are far out or lack cells."""
    generator = np.random.default_rng(inputs)
    place, scale = generator.normal(size=(2, inputs)) * 10
    x = generator.normal(size=(observations, inputs))
    y = np.stack([np.sin(2 * x[:, 0]), x[:, 0] * x[:, -1]], 1) + 0.1 * generator.normal(size=(observations, K))
    query = 3 * generator.normal(size=(M, inputs))
    query[0] = 1e3
    x, query = (np.where(generator.random(z.shape) < missing, np.nan, place + scale * z) for z in (x, query))
    return Observations(x, y, generator.uniform(0.2, 2.0, observations)), query


@both_models
@every_size
def test_the_weights_of_the_features_give_the_prediction(
    repository: Repository, model: str, inputs: int, observations: int, missing: float
) -> None:
    runtime, (context, query) = repository.get(model), task(inputs, observations, missing)
    assert context.weight is not None
    tensors = {"x": context.x[None], "y": context.y[None], "weight": context.weight[None], "x_query": query[None]}
    outputs = run(runtime, tensors, {})
    for fit in (
        fit_of_context(runtime, context),
        fit_of_state(lambda given: run(runtime, given, {}), runtime.manifest, runtime.state_after(outputs), inputs),
    ):
        found = fit.features.of_queries(query) @ fit.weight + fit.y_mean
        assert_close(found, outputs["prediction"][0], "prediction", rtol=EXACT)


@both_models
@every_size
def test_the_features_of_observations_have_the_moments_of_the_state(
    repository: Repository, model: str, inputs: int, observations: int, missing: float
) -> None:
    context, _ = task(inputs, observations, missing)
    fit = fit_of_context(repository.get(model), context)
    rows = np.concatenate(list(fit.features.of_observations(context.x)))
    assert context.weight is not None
    share = context.weight / context.weight.sum()
    scale = np.abs(rows).max(0, initial=1.0)
    assert_close(1 + (share @ rows) / scale, np.ones(rows.shape[1]), "mean", rtol=1e-11)
    size = np.outer(scale, scale)
    moments = (rows * share[:, None]).T @ rows
    assert_close(1 + moments / size, 1 + fit.second_moments / size, "second moments", rtol=1e-11)


def test_every_feature_is_of_one_column_or_of_two(repository: Repository) -> None:
    features = fit_of_context(repository.get("nonlinear"), task(3, 50, 0.3)[0]).features
    fives, twelves = np.repeat(np.arange(3), 5), np.repeat(np.arange(3), 12)
    expected = np.concatenate([np.arange(3), np.arange(3), fives, twelves, np.full(3, PRODUCT)])
    np.testing.assert_array_equal(features.column, expected)


def test_observations_in_pieces_are_those_in_one(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    context, _ = task(3, 50)
    features: Features = fit_of_context(repository.get("nonlinear"), context).features
    (whole,) = features.of_observations(context.x)
    monkeypatch.setattr("service.explaining.features.PIECE_NUMBERS", 7 * whole.shape[1])
    pieces = list(features.of_observations(context.x))
    assert [len(piece) for piece in pieces] == [7] * 7 + [1]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
