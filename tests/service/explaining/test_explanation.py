"""The implicit weights and the contributions of a prediction, held against the prediction itself and plain numpy."""

from functools import partial

import numpy as np
import pytest

from service.errors import InvalidInput, NumericOverflow, UnsupportedByModel
from service.explaining.contributions import SINGLE_RUN_LIMIT
from service.explaining.explanation import predict_and_explain
from service.explaining.implicit_weights import implicit_weights
from service.explaining.terms import PARTS, Explanation, ImplicitWeights, Part, parts
from service.inference.checks import Limits
from service.inference.predictor import Observations, Prediction, Predictor, run
from service.inference.sizes import Array
from service.inference.wide_readout import wide_readout
from service.registry.repository import Repository
from tests.closeness import assert_close

N, M, D, K = 23, 4, 5, 3
RATE = {"learning_rate": 0.05}
LINEAR_IN_Y: list[tuple[str, str, dict[str, float]]] = [
    ("linear", "1.0.0", {}),
    ("gd-1", "1.0.0", RATE),
    ("gd-8", "1.0.0", RATE),
]
every_model_linear_in_y = pytest.mark.parametrize(("model", "version", "parameters"), LINEAR_IN_Y)
every_explained_model = pytest.mark.parametrize(
    ("model", "version", "parameters"), [("linear", "2.0.0", {}), *LINEAR_IN_Y]
)
both_versions = pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])


def task(observations: int = N, *, shift: float = 0.0, flat: bool = False) -> tuple[Observations, Array]:
    """Columns of x of unlike scales, moved off by many standard deviations, weights of all sizes."""
    generator = np.random.default_rng(observations)
    scale = np.array([1.0, 0.25, 8.0, 1.0, 2.0])
    x = generator.normal(size=(observations, D)) * scale + shift
    y = generator.normal(size=(observations, K)) + x[:, :K] / scale[:K]
    query = generator.normal(size=(M, D)) * scale + shift
    return Observations(x, y[:, 0] if flat else y, generator.uniform(0.1, 2.0, observations)), query


def weights_of(explanation: Explanation) -> ImplicitWeights:
    assert explanation.implicit_weights is not None
    return explanation.implicit_weights


def shares_of(explanation: Explanation) -> Array:
    assert explanation.contributions is not None
    return explanation.contributions


@every_explained_model
@pytest.mark.parametrize("flat", [True, False])
def test_the_implicit_weights_give_the_prediction(
    predictor: Predictor, model: str, version: str, parameters: dict[str, float], flat: bool
) -> None:
    context, query = task(flat=flat)
    answer, explanation = predict_and_explain(predictor, model, context, query, parameters, version=version)
    found = weights_of(explanation)
    assert found.weights.shape == (D, *context.y.shape[1:])
    assert found.intercept.shape == context.y.shape[1:]
    assert_close(query @ found.weights + found.intercept, answer.prediction, "prediction", rtol=1e-11)


@every_explained_model
@pytest.mark.parametrize("observations", [1, 2, N, SINGLE_RUN_LIMIT, SINGLE_RUN_LIMIT + 1, 500])
@pytest.mark.parametrize("flat", [True, False])
def test_contributions_add_up_to_the_prediction(
    predictor: Predictor, model: str, version: str, parameters: dict[str, float], observations: int, flat: bool
) -> None:
    context, query = task(observations, flat=flat)
    answer, explanation = predict_and_explain(predictor, model, context, query, parameters, version=version)
    shares = shares_of(explanation)
    assert shares.shape == (M, observations, *context.y.shape[1:])
    assert_close(shares.sum(axis=1), answer.prediction, "prediction", rtol=1e-9)


@every_model_linear_in_y
@pytest.mark.parametrize("observations", [N, SINGLE_RUN_LIMIT + 40])
def test_contribution_equals_difference_to_y_0(
    predictor: Predictor, model: str, version: str, parameters: dict[str, float], observations: int
) -> None:
    context, query = task(observations)
    answer, explanation = predict_and_explain(predictor, model, context, query, parameters, version=version)
    for n in (0, 7, observations - 1):
        without = context.y.copy()
        without[n] = 0.0
        rest = predictor.predict(
            model, Observations(context.x, without, context.weight), query, parameters, version=version
        )
        expected = answer.prediction - rest.prediction
        scale = np.abs(answer.prediction).max()
        assert_close(shares_of(explanation)[:, n] / scale, expected / scale, "contribution", rtol=1e-9)


@pytest.mark.parametrize("observations", [N, SINGLE_RUN_LIMIT + 40])
def test_contribution_at_fixed_evidence_equals_difference_to_y_0(predictor: Predictor, observations: int) -> None:
    """The readout by another method; with it, predictions are linear in y."""
    context, query = task(observations)
    runtime = predictor.runtime("linear", "2.0.0")
    assert context.weight is not None
    tensors = {"x": context.x[None], "y": context.y[None], "weight": context.weight[None]}
    state, block = runtime.state_after(runtime.run(tensors)), np.zeros(D)
    found = wide_readout(state, K, block, [np.ones(D)], scale=False, response=True)
    weight, response = context.weight, found["readout.response"][0]
    share = weight / weight.sum()
    offset = context.x - share @ context.x

    def at_these_strengths(y: Array) -> Array:
        cross = (offset * weight[:, None]).T @ (y - share @ y)
        answers: Array = share @ y + np.einsum("md,kde,ek->mk", query - share @ context.x, response, cross)
        return answers

    answer, explanation = predict_and_explain(predictor, "linear", context, query, version="2.0.0")
    assert_close(at_these_strengths(context.y), answer.prediction, "prediction", rtol=1e-5)
    for n in (0, 7, observations - 1):
        without = context.y.copy()
        without[n] = 0.0
        expected = at_these_strengths(context.y) - at_these_strengths(without)
        scale = np.abs(answer.prediction).max()
        assert_close(shares_of(explanation)[:, n] / scale, expected / scale, "contribution", rtol=1e-5)


def test_clipped_query_is_explained_at_its_clipped_value(predictor: Predictor) -> None:
    """1 + √(n − 1) standard deviations from the mean, in every column."""
    context, query = task()
    assert context.weight is not None
    share = context.weight / context.weight.sum()
    mean, count = share @ context.x, context.weight.sum() ** 2 / np.square(context.weight).sum()
    reach = (1.0 + np.sqrt(count - 1.0)) * np.sqrt(share @ np.square(context.x - mean))
    far = query + 9.0 * reach * np.array([[1.0, 0.0, -1.0, 0.0, 1.0]])
    near = mean + (far - mean).clip(-reach, reach)
    answer, explanation = predict_and_explain(predictor, "linear", context, far)
    weights = weights_of(explanation)
    assert [(note.code, note.queries) for note in answer.notes] == [("beyond_observations", (0, 1, 2, 3))]
    assert_close(near @ weights.weights + weights.intercept, answer.prediction, "prediction", rtol=1e-11)
    assert_close(shares_of(explanation).sum(axis=1), answer.prediction, "prediction", rtol=1e-9)


def test_the_contributions_of_one_step_are_the_papers_formula(predictor: Predictor) -> None:
    context, query = task(SINGLE_RUN_LIMIT + 40)
    _, explanation = predict_and_explain(predictor, "gd-1", context, query, RATE)
    assert context.weight is not None
    kernel = 0.05 * (query @ context.x.T) * context.weight / context.weight.sum()
    assert_close(shares_of(explanation), kernel[:, :, None] * context.y, "contributions", rtol=1e-9)


@pytest.mark.parametrize(("version", "shrinkage"), [("1.0.0", 1e-12), ("2.0.0", 2e-5)])
def test_noiseless_line_is_explained_exactly(predictor: Predictor, version: str, shrinkage: float) -> None:
    """But for what the prior of version 2 takes from the slope."""
    x = np.arange(12.0)[:, None]
    line = Observations(x, 2 * x[:, 0] + 1)
    found = predict_and_explain(predictor, "linear", line, np.array([[10.0]]), version=version)
    weights = weights_of(found[1])
    assert_close(weights.weights, [2.0], "weights", rtol=shrinkage)
    assert_close(weights.intercept, 1.0, "intercept", rtol=max(1e-9, 2 * 5.5 * shrinkage))
    assert_close(weights.weights * 5.5 + weights.intercept, [12.0], "y at the mean of x", rtol=1e-12)


@both_versions
def test_a_large_mean_costs_the_weights_no_digits(predictor: Predictor, version: str) -> None:
    """x and y are whole numbers, so that moving them by a million loses nothing before the service sees them."""
    generator = np.random.default_rng(5)
    x = generator.integers(-50, 50, (N, D)).astype(float)
    y = x @ np.array([3.0, -2.0, 0.0, 1.0, 5.0]) + generator.integers(-3, 3, N)
    query = generator.integers(-50, 50, (M, D)).astype(float)
    near = predict_and_explain(predictor, "linear", Observations(x, y), query, version=version)[1]
    moved = Observations(x + 5e7, y + 5e8)
    answer, far = predict_and_explain(predictor, "linear", moved, query + 5e7, version=version)
    assert_close(weights_of(far).weights, weights_of(near).weights, "weights", rtol=1e-9)
    assert_close(
        (query + 5e7) @ weights_of(far).weights + weights_of(far).intercept, answer.prediction, "y", rtol=1e-12
    )
    assert_close(shares_of(far).sum(axis=1), answer.prediction, "prediction", rtol=1e-12)


@both_versions
@pytest.mark.parametrize("observations", [N, 500])
def test_contributions_add_up_on_data_far_from_zero(predictor: Predictor, observations: int, version: str) -> None:
    context, query = task(observations, shift=1e6)
    answer, explanation = predict_and_explain(predictor, "linear", context, query, version=version)
    assert_close(shares_of(explanation).sum(axis=1), answer.prediction, "prediction", rtol=1e-9)


@both_versions
def test_a_column_that_does_not_vary_has_no_weight(predictor: Predictor, version: str) -> None:
    context, query = task()
    x = context.x.copy()
    x[:, 2] = 7.0
    _, explanation = predict_and_explain(predictor, "linear", Observations(x, context.y), query, version=version)
    assert np.all(weights_of(explanation).weights[2] == 0)


@every_explained_model
def test_a_stored_state_has_the_weights_of_its_observations(
    repository: Repository, predictor: Predictor, model: str, version: str, parameters: dict[str, float]
) -> None:
    context, query = task()
    runtime = repository.get(model, version)
    assert context.weight is not None
    outputs = runtime.run({"x": context.x[None], "y": context.y[None], "weight": context.weight[None]})
    infer = partial(run, runtime, parameters=parameters)
    found = implicit_weights(infer, runtime.manifest, runtime.state_after(outputs), D)
    expected = weights_of(predict_and_explain(predictor, model, context, query, parameters, version=version)[1])
    assert_close(found.weights, expected.weights, "weights", rtol=1e-12)
    assert found.intercept.shape == (K,)


def test_gradient_descent_has_weights_without_a_rate_but_contributions_only_with_one(predictor: Predictor) -> None:
    context, query = task()
    answer, explanation = predict_and_explain(predictor, "gd-8", context, query, explain=["implicit_weights"])
    assert_close(query @ weights_of(explanation).weights, answer.prediction, "prediction", rtol=1e-11)
    assert explanation.contributions is None
    with pytest.raises(UnsupportedByModel, match="not linear in y unless learning_rate is given in parameters"):
        predict_and_explain(predictor, "gd-8", context, query, explain=["contributions"])


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("model", ["classifier", "softmax-1", "softmax-8", "sine-trained", "linear-trained"])
def test_a_model_that_is_not_linear_has_no_explanation(repository: Repository, model: str, part: str) -> None:
    predictor = Predictor(repository, "linear", Limits(1024, 10**6))
    width = repository.get(model).manifest.dims["D"]
    x = np.ones((3, 2 if width == "any" else width))
    for explain in (parts([part], ""), PARTS):
        with pytest.raises(UnsupportedByModel, match=f"^explain: model {model} has no "):
            predict_and_explain(predictor, model, Observations(x, np.ones((3, 1))), x, explain=explain)


@pytest.mark.parametrize("part", ["effects", "pairs", "blocks"])
def test_terms_are_of_models_that_are_weighted_sums_of_features(predictor: Predictor, part: Part) -> None:
    context, query = task()
    for model, version in (("linear", "1.0.0"), ("gd-8", "1.0.0")):
        expected = (
            f"explain: model {model} has no {part} in version 1.0.0: .* Ask model nonlinear, or linear from 2.0.0"
        )
        with pytest.raises(UnsupportedByModel, match=expected):
            predict_and_explain(predictor, model, context, query, version=version, explain=[part])


def test_explain_true_gives_all_parts_of_the_model(predictor: Predictor) -> None:
    context, query = task()

    def found(model: str, parameters: dict[str, float], version: str = "1.0.0") -> list[str]:
        explanation = predict_and_explain(predictor, model, context, query, parameters, version=version)[1]
        return [part for part in PARTS if getattr(explanation, part) is not None]

    assert found("linear", {}, "2.0.0") == list(PARTS)
    assert found("nonlinear", {}) == ["contributions", "effects", "pairs", "blocks"]
    assert found("linear", {}) == found("gd-8", RATE) == ["implicit_weights", "contributions"]
    assert found("gd-8", {}) == ["implicit_weights"]
    with pytest.raises(UnsupportedByModel, match=r"^explain: model nonlinear has no implicit weights"):
        predict_and_explain(predictor, "nonlinear", context, query, explain=["implicit_weights", "effects"])


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("observations", [1, 2, N, 33, 500])
@pytest.mark.parametrize("flat", [True, False])
def test_contributions_to_a_non_linear_prediction_add_up_to_it(
    predictor: Predictor, observations: int, flat: bool, missing: float
) -> None:
    context, query = task(observations, shift=1e4, flat=flat)
    generator = np.random.default_rng(observations)
    x, query = (np.where(generator.random(z.shape) < missing, np.nan, z) for z in (context.x, query))
    query[0] += 1e6
    answer, explanation = predict_and_explain(predictor, "nonlinear", context._replace(x=x), query)
    shares = shares_of(explanation)
    assert shares.shape == (M, observations, *context.y.shape[1:])
    assert_close(shares.sum(axis=1), answer.prediction, "prediction", rtol=1e-9)


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
@pytest.mark.parametrize("unit", [0.0, 1e-300, 1e-200, 1e-100, 1e100])
def test_contributions_add_up_in_any_unit_of_y(predictor: Predictor, model: str, unit: float) -> None:
    """Squares of the smallest are 0, so that y counts as constant."""
    context, query = task()
    y = (context.y + 3.0) * unit
    answer, explanation = predict_and_explain(predictor, model, context._replace(y=y), query, version=None)
    scale = unit or 1.0
    assert_close(shares_of(explanation).sum(axis=1) / scale, answer.prediction / scale, "prediction", rtol=1e-9)


@pytest.mark.parametrize("columns", [1, 20, 70])
def test_contributions_add_up_whatever_features_the_columns_have(predictor: Predictor, columns: int) -> None:
    generator = np.random.default_rng(columns)
    x, query = generator.normal(size=(60, columns)), generator.normal(size=(M, columns))
    answer, explanation = predict_and_explain(predictor, "nonlinear", Observations(x, np.sin(3 * x[:, 0])), query)
    assert_close(shares_of(explanation).sum(axis=1), answer.prediction, "prediction", rtol=1e-9)


def test_a_non_linear_contribution_is_the_same_share_of_each_y_that_has_the_same_weights(predictor: Predictor) -> None:
    """y and 1 − 3·y have the same evidence, so the shares are the same."""
    context, query = task(60, flat=True)
    y = np.stack([context.y, 1.0 - 3.0 * context.y], 1)
    shares = shares_of(predict_and_explain(predictor, "nonlinear", context._replace(y=y), query)[1])
    assert_close(shares[..., 1] * y[:, 0], shares[..., 0] * y[:, 1], "shares", rtol=1e-9)
    assert_close((shares[..., 0] / y[:, 0]).sum(1), np.ones(M), "sum of shares", rtol=1e-9)


def test_number_of_contributions_is_limited(repository: Repository) -> None:
    context, query = task()
    exact = Predictor(repository, "linear", Limits(1024, M * N * K))
    only: list[Part] = ["contributions"]
    assert shares_of(predict_and_explain(exact, None, context, query, explain=only)[1]).size == M * N * K
    strict = Predictor(repository, "linear", Limits(1024, M * N * K - 1))
    with pytest.raises(InvalidInput, match=rf"explain: has {M * N * K} contributions .* at most {M * N * K - 1} "):
        predict_and_explain(strict, None, context, query, explain=only)
    assert predict_and_explain(strict, None, context, query, explain=["implicit_weights"])[1].contributions is None


def test_overflowing_explanation_is_refused(predictor: Predictor) -> None:
    context, query = task()
    with pytest.raises(NumericOverflow):
        predict_and_explain(predictor, "gd-8", context, query, {"learning_rate": 1e300})


@both_versions
@pytest.mark.parametrize("scale", [1e140, 1e152, 1e153])
def test_numbers_at_the_end_of_floating_point_are_explained_or_refused(
    predictor: Predictor, scale: float, version: str
) -> None:
    context, query = task()
    huge = Observations(context.x * scale, context.y * scale)
    try:
        answer, explanation = predict_and_explain(predictor, "linear", huge, query * scale, version=version)
    except NumericOverflow:
        return
    assert_close(shares_of(explanation).sum(axis=1) / scale, answer.prediction / scale, "prediction", rtol=1e-9)
    assert np.isfinite(weights_of(explanation).weights).all()


@both_versions
def test_explanation_is_of_the_requested_version(predictor: Predictor, version: str) -> None:
    context, query = task()
    answer: Prediction = predict_and_explain(predictor, "linear", context, query, version=version)[0]
    assert answer.model.version == version


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, PARTS),
        (False, ()),
        (None, ()),
        ([], ()),
        (["contributions"], ("contributions",)),
        (["contributions", "implicit_weights", "contributions"], ("implicit_weights", "contributions")),
        (["blocks", "pairs", "effects"], ("effects", "pairs", "blocks")),
    ],
)
def test_explain_accepts_booleans_null_and_names(value: object, expected: tuple[str, ...]) -> None:
    assert parts(value, "explain") == expected


@pytest.mark.parametrize("value", [1, "true", "contributions", ["weights"], [True], [["contributions"]], {}])
def test_other_values_of_explain_are_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match=r'^explain: must be true, false or a list of "implicit_weights", "cont'):
        parts(value, "explain")
