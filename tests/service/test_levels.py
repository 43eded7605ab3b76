"""Columns that are levels of categories, through the files that ship: predictions, readouts, explanations, refusals."""

import sys
from collections.abc import Mapping

import numpy as np
import pytest

from service.errors import InvalidInput, UnsupportedByModel
from service.explaining.effects import effects
from service.explaining.explanation import predict_and_explain
from service.explaining.readout import fit_of_context
from service.inference.predictor import Observations, Prediction, Predictor
from service.inference.runtime import WIDE, Runtime
from service.inference.sizes import Array
from service.levels import Levels
from service.registry.repository import Repository
from tests.closeness import assert_close
from tests.nonempty import nonempty

B, N, M = 2, 60, 4
LEVELS = (1, 2, 4, 5, 6)
"""Of seven columns: a category of two levels and one of three; columns 0 and 3 are numbers."""

both_models = pytest.mark.parametrize("model", ["linear", "nonlinear"])


def draw(rows: int, seed: int = 0, effect: float = 1.0) -> tuple[Array, Array]:
    """Draw x (B, rows, 7) and y (B, rows, 2), which depends on the first number and on the second category."""
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=(B, rows, 2)) * [1.0, 100.0]
    categories = [generator.integers(0, count, (B, rows)) for count in (2, 3)]
    parts = [np.eye(count)[which] for count, which in zip((2, 3), categories, strict=True)]
    x = np.concatenate([numbers[..., :1], parts[0], numbers[..., 1:], parts[1]], 2)
    of_category = np.array([-2.0, 0.0, 3.0])[categories[1]]
    y = np.sin(2 * x[..., :1]) + effect * of_category[..., None] + 0.3 * generator.normal(size=(B, rows, 2))
    return x, y


def context(rows: int = N, effect: float = 1.0) -> tuple[Observations, Array]:
    x, y = draw(rows + M, effect=effect)
    return Observations(x[0, :rows], y[0, :rows], levels=LEVELS), x[0, rows:]


def alike(runtime: Runtime, tensors: Mapping[str, Array | float], names: tuple[str, ...]) -> None:
    found = {}
    try:
        for wide in (sys.maxsize, 0):
            runtime.wide = wide
            found[wide] = runtime.run(tensors, LEVELS)
    finally:
        runtime.wide = WIDE
    for name in nonempty(names):
        inside, behind = found[sys.maxsize][name], found[0][name]
        assert np.abs(inside - behind).max() <= 1e-6 * np.abs(inside).max(), name


@pytest.mark.parametrize("missing", [0.0, 0.2])
@both_models
def test_wide_readout_equals_the_readout_of_the_graph(repository: Repository, model: str, missing: float) -> None:
    x, y = draw(N)
    gaps = np.where(np.random.default_rng(1).random(x.shape) < missing, np.nan, x)
    tensors = {"x": gaps, "y": y, "x_query": gaps[:, :M], "want_response": np.ones(())}
    alike(repository.get(model), tensors, ("prediction", "scale", "readout.weight", "readout.response"))


def test_wide_class_readout_equals_the_readout_of_the_graph(repository: Repository) -> None:
    x, y = draw(N)
    shares = np.eye(3)[np.digitize(y[..., 0], [-1.0, 1.0])]
    tensors = {"x": x, "y": shares, "x_query": x[:, :M]}
    alike(repository.get("classifier"), tensors, ("prediction", "readout.weight", "readout.metric", "readout.center"))


@both_models
def test_prediction_with_levels_equals_that_of_the_graph(predictor: Predictor, model: str) -> None:
    seen, query = context()
    answer = predictor.predict(model, seen, query)
    as_numbers = predictor.predict(model, seen._replace(levels=()), query)
    tensors = {"x": seen.x[None], "y": seen.y[None], "x_query": query[None]}
    expected = predictor.runtime(model).run(tensors, LEVELS)["prediction"][0]
    assert_close(answer.prediction, expected, "prediction")
    assert np.abs(answer.prediction - as_numbers.prediction).max() > 1e-3


@both_models
def test_effects_of_levels_and_numbers_and_pairs_of_numbers_add_up(predictor: Predictor, model: str) -> None:
    seen, query = context()
    answer, found = predict_and_explain(predictor, model, seen, query, explain=["pairs", "blocks", "contributions"])
    fit = fit_of_context(predictor.runtime(model), seen)
    made = fit.features.of_queries(query) @ fit.weight + fit.y_mean
    assert_close(made, answer.prediction, "prediction", rtol=1e-9)
    assert found.contributions is not None
    assert_close(found.contributions.sum(1), answer.prediction, "sum of contributions", rtol=1e-9)
    assert [pair.columns for pair in found.pairs or ()] == ([(0, 3)] if model == "nonlinear" else [])
    order = np.argsort(query, axis=0)
    at = effects(fit, list(np.take_along_axis(query, order, 0).T), None)
    total = np.tile(at.base, (M, 1))
    for j, effect in enumerate(at.columns):
        total[order[:, j]] += effect.effect
    if model == "linear":
        assert_close(total, answer.prediction, "sum of effects", rtol=1e-9)


@both_models
def test_levels_are_a_block_with_the_contribution_of_their_category(predictor: Predictor, model: str) -> None:
    seen, query = context(300)
    _, found = predict_and_explain(predictor, model, seen, query, explain=["blocks"])
    blocks = {block.block: block for block in found.blocks or ()}
    names = ["linear", "levels"] + (["additive_5", "additive_12", "pairs"] if model == "nonlinear" else [])
    assert sorted(blocks) == sorted(names)
    expected = (seen.x[:, 4:] @ [-2.0, 0.0, 3.0]).std()
    assert_close(blocks["levels"].strength, np.full(2, expected), "strength", rtol=0.05)
    assert_close(blocks["levels"].probability, np.ones(2), "probability")


def test_implicit_weights_are_those_of_predictions_with_levels(predictor: Predictor) -> None:
    seen, query = context()
    answer, found = predict_and_explain(predictor, "linear", seen, query, explain=["implicit_weights"])
    assert found.implicit_weights is not None
    expected = query @ found.implicit_weights.weights + found.implicit_weights.intercept
    assert_close(answer.prediction, expected, "prediction", rtol=1e-9)


@pytest.mark.parametrize("rows", [20, 100])
@pytest.mark.parametrize("model", ["linear", "nonlinear", "classifier"])
@pytest.mark.parametrize("gaps", [False, True])
def test_late_levels_equal_columns_of_zeros(repository: Repository, model: str, rows: int, *, gaps: bool) -> None:
    runtime = repository.get(model)
    x, y = draw(rows + 30)
    x[:, :rows, 5:] = 0.0
    if gaps:
        x[:, 3, 0] = np.nan
    if model == "classifier":
        y = np.eye(2)[(y[..., 0] > 0).astype(int)]
    early, late = slice(0, rows), slice(rows, rows + 30)
    start = runtime.run({"x": x[:, early, :5], "y": y[:, early]}, LEVELS[:3])
    rest: dict[str, Array | float] = {"x": x[:, late], "y": y[:, late], "x_query": np.nan_to_num(x[:, :M])}
    found = runtime.run({**runtime.state_after(start), **rest}, LEVELS)
    whole = runtime.run({"x": x[:, early], "y": y[:, early]}, LEVELS)
    expected = runtime.run({**runtime.state_after(whole), **rest}, LEVELS)
    for name in expected:
        assert_close(found[name], expected[name], name, rtol=1e-7)


def test_late_columns_must_be_levels(repository: Repository) -> None:
    runtime, (x, y) = repository.get("linear"), draw(N)
    state = runtime.state_after(runtime.run({"x": x[..., :6], "y": y}, (1, 2, 4, 5)))
    with pytest.raises(InvalidInput):
        runtime.run({**state, "x": x, "y": y}, (1, 2, 4, 5))


def codes(answer: Prediction) -> list[str]:
    return [note.code for note in answer.notes]


@pytest.mark.parametrize(
    ("numbers", "levels", "noted"), [(0, 70, False), (3, 70, False), (64, 3, False), (65, 3, True)]
)
def test_missing_features_are_reported_for_numbers_only(
    predictor: Predictor, numbers: int, levels: int, *, noted: bool
) -> None:
    generator = np.random.default_rng(0)
    x = np.concatenate([generator.normal(size=(300, numbers)), np.eye(levels)[generator.integers(0, levels, 300)]], 1)
    seen = Observations(x, generator.normal(size=300), levels=tuple(range(numbers, numbers + levels)))
    assert ("linear_only" in codes(predictor.predict("nonlinear", seen, x[:1]))) == noted


@pytest.mark.parametrize(("model", "version"), [("gd-1", None), ("linear", "1.0.0")])
def test_models_of_numbers_refuse_levels_by_name(predictor: Predictor, model: str, version: str | None) -> None:
    seen, query = context()
    with pytest.raises(UnsupportedByModel, match=f"^levels: are not supported by model {model}"):
        predictor.predict(model, seen, query, version=version)


@pytest.mark.parametrize("levels", [(7,), (-1,), (1, 1)])
def test_levels_beyond_the_columns_are_refused(predictor: Predictor, levels: Levels) -> None:
    seen, query = context()
    with pytest.raises(InvalidInput, match=r"^levels: must be different columns of x, from 0 to 6"):
        predictor.predict("linear", seen._replace(levels=levels), query)


def test_the_manifest_says_which_kinds_of_columns_a_model_takes(repository: Repository) -> None:
    taking = {f"{each.manifest.name} {each.manifest.version}" for each in repository.served()
              if each.manifest.column_kinds == ("number", "level")}  # fmt: skip
    assert taking == {"nonlinear 1.0.0", "linear 2.0.0", "classifier 2.0.0"}
    others = {each.manifest.column_kinds for each in repository.served()} - {("number", "level")}
    assert others == {("number",)}
