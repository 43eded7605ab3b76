"""Effects and pairs add up to the prediction, and show what the context is about."""

import numpy as np
import pytest

from service.errors import InvalidInput
from service.explaining.effects import VALUES_LIMIT, effects, grid_of_observations, grid_of_state
from service.explaining.explanation import predict_and_explain
from service.explaining.readout import fit_of_context
from service.explaining.terms import Effects, Explanation, Part
from service.inference.checks import Limits
from service.inference.distribution import Wanted
from service.inference.predictor import Observations, Predictor
from service.inference.sizes import Array
from service.registry.repository import Repository
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.service.explaining.test_features import K, both_models, task

N = 400
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(N, 3)) * [1.0, 5.0, 0.1] + [0.0, 3.0, -1.0]
NOISE = 0.1 * GENERATOR.normal(size=N)
TERMS: list[Part] = ["effects", "pairs", "blocks"]


def explain(
    predictor: Predictor, x: Array, y: Array, model: str = "nonlinear", level: float | None = None
) -> Explanation:
    query = np.nan_to_num(x[:1])
    return predict_and_explain(predictor, model, Observations(x, y), query, wanted=Wanted(level), explain=TERMS)[1]


def effects_of(found: Explanation) -> Effects:
    assert found.effects is not None
    return found.effects


def bent(x: Array, context: Observations) -> Array:
    """t(z) of columns standardised by the context, as documented."""
    assert context.weight is not None
    share = context.weight / context.weight.sum()
    center = share @ context.x
    z = (x - center) / np.sqrt(share @ np.square(context.x - center))
    found: Array = 2.5 * np.tanh(z.clip(-4.0, 4.0) / 2.5)
    return found


@both_models
@pytest.mark.parametrize("inputs", [1, 2, 5])
def test_base_effects_and_pairs_add_up_to_the_prediction(predictor: Predictor, model: str, inputs: int) -> None:
    """All pairs of five columns are among the ten that are named."""
    context, query = task(inputs, 60)
    assert context.weight is not None
    answer, found = predict_and_explain(predictor, model, context, query, explain=TERMS)
    fit = fit_of_context(predictor.runtime(model), context)
    order = np.argsort(query, axis=0)
    at = effects(fit, list(np.take_along_axis(query, order, 0).T), None)
    total = np.tile(at.base, (len(query), 1))
    for j, effect in enumerate(at.columns):
        total[order[:, j]] += effect.effect
    of_queries, of_rows = bent(query, context), bent(context.x, context)
    share = context.weight / context.weight.sum()
    for pair in found.pairs or ():
        i, j = pair.columns
        centred = of_queries[:, i] * of_queries[:, j] - share @ (of_rows[:, i] * of_rows[:, j])
        total += centred[:, None] * pair.weight
    assert len(found.pairs or ()) == (inputs * (inputs - 1) // 2 if model == "nonlinear" else 0)
    assert_close(total, answer.prediction, "prediction", rtol=1e-11)


@both_models
def test_an_effect_is_zero_on_average_and_its_strength_its_standard_deviation(predictor: Predictor, model: str) -> None:
    context, query = task(5, 60)
    assert context.weight is not None
    found = effects_of(predict_and_explain(predictor, model, context, query, explain=["effects"])[1])
    fit, share = fit_of_context(predictor.runtime(model), context), context.weight / context.weight.sum()
    at = effects(fit, list(context.x.T), None)
    for here, effect in zip(at.columns, found.columns, strict=True):
        assert_close(1 + share @ here.effect, np.ones(K), "mean", rtol=1e-10)
        assert_close(np.sqrt(share @ np.square(here.effect)), effect.strength, "strength", rtol=1e-9)
    assert_close(found.base, share @ context.y, "base", rtol=1e-12)


def test_the_curves_of_an_additive_target_are_its_terms(predictor: Predictor) -> None:
    z = X[:, 1] / 5 - 0.6
    found = effects_of(explain(predictor, X, np.sin(2 * X[:, 0]) + np.abs(z) + NOISE))
    first, second, third = found.columns
    assert np.corrcoef(first.effect, np.sin(2 * first.values))[0, 1] > 0.98
    assert np.corrcoef(second.effect, np.abs(second.values / 5 - 0.6))[0, 1] > 0.98
    assert third.strength < 0.05 * min(first.strength, second.strength)
    assert (first.values[0], first.values[-1]) == (X[:, 0].min(), X[:, 0].max())
    assert len(first.values) == VALUES_LIMIT


def test_the_effect_of_a_line_is_the_line(predictor: Predictor) -> None:
    found = effects_of(explain(predictor, X, 2 * X[:, 1] + NOISE, "linear"))
    curve = found.columns[1]
    assert_close(curve.effect, 2 * (curve.values - X[:, 1].mean()), "effect", rtol=1e-2)
    assert_close(curve.strength, 2 * X[:, 1].std(), "strength", rtol=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("observations", [20, 50, 200])
def test_the_interval_of_an_effect_holds_the_term_with_its_probability(predictor: Predictor, observations: int) -> None:
    held = []
    for seed in range(30):
        generator = np.random.default_rng(seed)
        x, (slope, size, speed) = generator.normal(size=(observations, 3)), generator.uniform(0.5, 2.0, (3, 3))
        terms = slope * x + size * np.sin(speed * x)
        context = Observations(x, terms.sum(1) + 0.5 * generator.normal(size=observations))
        found = effects(fit_of_context(predictor.runtime("nonlinear"), context), list(x.T), 0.9)
        for effect, term in zip(found.columns, (terms - terms.mean(0)).T, strict=True):
            assert effect.lower is not None
            assert effect.upper is not None
            assert_close((effect.lower + effect.upper) / 2, effect.effect, "middle", rtol=1e-12)
            held.append(np.mean((effect.lower < term) & (term < effect.upper)))
    assert 0.85 < np.mean(held) < 0.95, np.mean(held)


def test_the_interval_of_a_prediction_is_that_of_the_only_effect_and_the_noise(predictor: Predictor) -> None:
    """With one column: the squares of their widths differ by the same number everywhere."""
    context = Observations(X[:60, :1], np.sin(2 * X[:60, 0]) + NOISE[:60])
    curve = effects_of(explain(predictor, *context[:2], level=0.9)).columns[0]
    answer = predictor.predict("nonlinear", context, curve.values[:, None], wanted=Wanted(0.9))
    assert answer.lower is not None
    assert curve.lower is not None
    noise = np.square(answer.prediction - answer.lower) - np.square(curve.effect - curve.lower)
    assert noise.min() > 0
    assert_close(noise, np.full(VALUES_LIMIT, noise.mean()), "noise", rtol=1e-3)
    assert effects_of(explain(predictor, *context[:2])).columns[0].lower is None


def test_after_one_observation_there_is_no_interval_and_no_effect(predictor: Predictor) -> None:
    found = explain(predictor, X[:1], X[:1, 0], level=0.9)
    for effect in nonempty(effects_of(found).columns):
        assert effect.lower is not None
        assert np.isnan(effect.lower).all()
        assert not effect.effect.any()
    assert found.pairs == ()


@both_models
def test_missing_cells_have_a_separate_effect(predictor: Predictor, model: str) -> None:
    gone = GENERATOR.random(N) < 0.3
    x = X.copy()
    x[gone, 1] = np.nan
    y = X[:, 0] + 3.0 * gone + NOISE
    found = effects_of(explain(predictor, x, y, model))
    first, second, _ = found.columns
    assert first.missing is not None
    assert second.missing is not None
    there = second.effect.mean()
    assert second.missing - there == pytest.approx(3.0, abs=0.2)
    assert second.missing * gone.mean() + there * (1 - gone.mean()) == pytest.approx(0.0, abs=0.1)
    assert effects_of(explain(predictor, X, y, model)).columns[0].missing is None


def test_predictions_with_missing_cells_are_the_base_and_the_effects(predictor: Predictor) -> None:
    x = np.where(GENERATOR.random(X.shape) < 0.3, np.nan, X)
    context = Observations(x, np.nansum(x * [1.0, 0.5, 2.0], 1) + NOISE)
    query = np.array([[np.nan, np.nan, np.nan], [0.5, np.nan, -1.1], [0.5, 1.0, -1.1]])
    answer, _ = predict_and_explain(predictor, "linear", context, query, explain=["effects"])
    found = effects(fit_of_context(predictor.runtime("linear"), context), [np.array([v]) for v in query[2]], None)
    missing = [float(effect.missing) for effect in found.columns if effect.missing is not None]
    there = [float(effect.effect[0]) for effect in found.columns]
    expected = [sum(missing), there[0] + missing[1] + there[2], sum(there)]
    assert_close(answer.prediction, found.base + np.array(expected), "prediction", rtol=1e-12)


@both_models
def test_a_column_that_does_not_vary_has_no_effect(predictor: Predictor, model: str) -> None:
    x = X.copy()
    x[:, 1] = 7.0
    found = explain(predictor, x, X[:, 0] + NOISE, model, 0.9)
    constant = effects_of(found).columns[1]
    assert constant.values.tolist() == [7.0]
    for part in (constant.effect, constant.lower, constant.upper):
        assert part is not None
        assert part.tolist() == [0.0]
    assert bool(found.pairs) == (model == "nonlinear")
    assert 1 not in {column for pair in found.pairs or () for column in pair.columns}


def test_values_are_those_of_the_context_where_they_are_few() -> None:
    x = np.stack([np.arange(50.0) % 2, np.full(50, np.nan), np.arange(50.0)], 1)
    two, none, many = grid_of_observations(Observations(x, np.zeros(50), np.append(np.ones(49), 0.0)))
    assert two.tolist() == [0.0, 1.0]
    assert none.size == 0
    assert (many[0], many[-1], len(many)) == (0.0, 48.0, VALUES_LIMIT)


@both_models
def test_values_of_a_state_are_around_its_means(predictor: Predictor, model: str) -> None:
    x = X.copy()
    x[:, 2] = -1.0
    x[: N // 2, 1] = np.nan
    fit = fit_of_context(predictor.runtime(model), Observations(x, X[:, 0]))
    first, second, constant = grid_of_state(fit)
    for values, column in ((first, x[:, 0]), (second, x[N // 2 :, 1])):
        expected = column.mean() + 2.5 * column.std() * np.linspace(-1, 1, VALUES_LIMIT)
        assert_close(values, expected, "values", rtol=1e-12)
    assert constant.tolist() == [-1.0]
    few = fit_of_context(predictor.runtime(model), Observations(X[:2], X[:2, 0]))
    assert_close(grid_of_state(few)[0][[0, -1]], np.sort(X[:2, 0]), "the two observations", rtol=1e-12)


@both_models
def test_each_output_has_the_effects_that_it_has_alone(predictor: Predictor, model: str) -> None:
    context, query = task(5, 60)
    together = predict_and_explain(predictor, model, context, query, wanted=Wanted(0.8), explain=TERMS)[1]
    for k in range(K):
        alone = predict_and_explain(
            predictor, model, context._replace(y=context.y[:, k]), query, wanted=Wanted(0.8), explain=TERMS
        )[1]
        for both, one in nonempty(zip(effects_of(together).columns, effects_of(alone).columns, strict=True)):
            assert both.effect.shape == (*one.effect.shape, K)
            for name in ("effect", "lower", "upper", "strength"):
                assert_close(getattr(both, name)[..., k], getattr(one, name), name, rtol=1e-9)
        for block, other in nonempty(zip(together.blocks or (), alone.blocks or (), strict=True)):
            assert block.block == other.block
            assert_close(1 + block.probability[k], 1 + other.probability, "probability", rtol=1e-9)


def test_number_of_effects_is_limited(repository: Repository) -> None:
    context, query = task(5, 20)
    count = 5 * K * VALUES_LIMIT
    for most, level in ((count, None), (3 * count, 0.9)):
        exact = Predictor(repository, "linear", Limits(1024, most))
        predict_and_explain(exact, None, context, query, wanted=Wanted(level), explain=["effects"])
        strict = Predictor(repository, "linear", Limits(1024, most - 1))
        with pytest.raises(InvalidInput, match=rf"explain: needs the effects of 5 columns on 2, up to {most} numbers"):
            predict_and_explain(strict, None, context, query, wanted=Wanted(level), explain=["effects"])
