"""Intervals, quantiles and notes of one-shot predictions."""

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from service.errors import InvalidInput, UnsupportedByModel
from service.inference.distribution import MAX_REPORTED, Wanted
from service.inference.predictor import Observations, Prediction, Predictor
from service.inference.sizes import Array

N, M, D, K = 23, 5, 3, 2
GENERATOR = np.random.default_rng(0)
X, QUERY = GENERATOR.normal(size=(N, D)), GENERATOR.normal(size=(M, D))
Y = X @ GENERATOR.normal(size=(D, K)) + GENERATOR.normal(size=(N, K))
MODELS = ["linear", "nonlinear"]
NINETY = Wanted(0.9)


def ask(
    predictor: Predictor, model: str, x: Array = X, y: Array = Y, query: Array = QUERY, wanted: Wanted = NINETY
) -> Prediction:
    return predictor.predict(model, Observations(x, y), query, wanted=wanted)


def codes(answer: Prediction) -> list[str]:
    return [note.code for note in answer.notes]


@pytest.mark.parametrize("model", MODELS)
def test_bounds_are_quantiles_of_the_t_distribution_of_the_file(predictor: Predictor, model: str) -> None:
    outputs = predictor.runtime(model).run({"x": X[None], "y": Y[None], "x_query": QUERY[None]})
    answer = ask(predictor, model, wanted=Wanted(0.8, (0.1, 0.5, 0.95)))
    scale, freedom = outputs["scale"][0], outputs["degrees_of_freedom"][0]
    middle = outputs["prediction"][0]
    assert freedom == N - 1
    assert answer.quantiles is not None
    assert answer.lower is not None
    assert answer.upper is not None
    np.testing.assert_allclose(answer.lower, middle + scale * stats.t.ppf(0.1, freedom), rtol=1e-9)
    np.testing.assert_allclose(answer.upper, middle + scale * stats.t.ppf(0.9, freedom), rtol=1e-9)
    np.testing.assert_allclose(answer.quantiles[[0, 2]], [answer.lower, middle + scale * stats.t.ppf(0.95, freedom)])
    np.testing.assert_allclose(answer.quantiles[1], answer.prediction)


@pytest.mark.parametrize("level", [5e-324, 1 - 2**-53])
def test_every_probability_of_an_interval_has_bounds(predictor: Predictor, level: float) -> None:
    answer = ask(predictor, "linear", wanted=Wanted(level))
    assert answer.lower is not None
    assert answer.upper is not None
    np.testing.assert_allclose(answer.upper - answer.prediction, answer.prediction - answer.lower, atol=1e-12)


def test_bounds_have_the_shape_of_the_prediction(predictor: Predictor) -> None:
    rows, numbers = ask(predictor, "linear"), ask(predictor, "linear", y=Y[:, 0])
    for answer, shape in ((rows, (M, K)), (numbers, (M,))):
        assert answer.prediction.shape == shape
        assert answer.lower is not None
        assert answer.lower.shape == shape


def test_no_bounds_are_answered_unless_requested(predictor: Predictor) -> None:
    answer = ask(predictor, "linear", wanted=Wanted())
    assert (answer.lower, answer.upper, answer.quantiles) == (None, None, None)


@pytest.mark.parametrize("model", MODELS)
def test_the_prediction_is_the_same_whether_the_scale_is_wanted(predictor: Predictor, model: str) -> None:
    np.testing.assert_array_equal(ask(predictor, model).prediction, ask(predictor, model, wanted=Wanted()).prediction)


@pytest.mark.parametrize("model", MODELS)
def test_one_observation_has_no_interval(predictor: Predictor, model: str) -> None:
    answer = ask(predictor, model, X[:1], Y[:1])
    np.testing.assert_allclose(answer.prediction, np.repeat(Y[:1], M, 0))
    assert answer.lower is not None
    assert answer.upper is not None
    assert np.isnan([answer.lower, answer.upper]).all()
    assert codes(answer) == ["one_observation"]


@pytest.mark.parametrize("model", MODELS)
def test_columns_that_do_not_vary_are_named(predictor: Predictor, model: str) -> None:
    x = np.insert(X, 1, 1e15, axis=1)
    answer = ask(predictor, model, x, query=np.insert(QUERY, 1, 7.0, axis=1))
    assert [note.columns for note in answer.notes if note.code == "constant_columns"] == [(1,)]
    np.testing.assert_allclose(answer.prediction, ask(predictor, model).prediction, atol=1e-5)


def test_queries_further_out_than_any_observation_are_named(predictor: Predictor) -> None:
    far = np.repeat(QUERY[:1], MAX_REPORTED + 9, 0)
    far[3:] = 1e6
    (note,) = ask(predictor, "linear", query=far).notes
    assert note.code == "beyond_observations"
    assert note.queries == tuple(range(3, 3 + MAX_REPORTED))


def test_a_constant_y_has_an_interval_of_no_width(predictor: Predictor) -> None:
    answer = ask(predictor, "linear", y=np.full(N, 3.5))
    np.testing.assert_array_equal(answer.lower, np.full(M, 3.5))
    np.testing.assert_array_equal(answer.upper, np.full(M, 3.5))
    assert codes(answer) == ["constant_y"]


def test_fewer_observations_than_columns_are_told(predictor: Predictor) -> None:
    assert codes(ask(predictor, "linear", X[:2], Y[:2], X[:2])) == ["fewer_observations_than_columns"]


def test_more_columns_than_features_are_made_of_are_told(predictor: Predictor) -> None:
    x = GENERATOR.normal(size=(N, 65))
    answer = ask(predictor, "nonlinear", x, query=x[:M])
    assert "linear_only" in codes(answer)
    np.testing.assert_allclose(answer.prediction, ask(predictor, "linear", x, query=x[:M]).prediction, rtol=1e-9)


def test_more_quantiles_than_a_request_may_have_are_refused(predictor: Predictor) -> None:
    found = ask(predictor, "linear", wanted=Wanted(None, (0.5,) * 100)).quantiles
    assert found is not None
    assert len(found) == 100
    with pytest.raises(InvalidInput, match=r"quantiles: has 101 entries; a request has at most 100\. Send fewer\.$"):
        ask(predictor, "linear", wanted=Wanted(None, (0.5,) * 101))


@pytest.mark.parametrize(
    ("wanted", "field"),
    [(Wanted(0.0), "interval"), (Wanted(1.0), "interval"), (Wanted(float("nan")), "interval"),
     (Wanted(None, (0.5, 1.5)), "quantiles[1]"), (Wanted(None, (0.5,) * 101), "quantiles")],
)  # fmt: skip
def test_probabilities_out_of_their_range_are_refused_by_name(predictor: Predictor, wanted: Wanted, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(predictor, "linear", wanted=wanted)
    assert [problem.field for problem in refused.value.problems] == [field]


@pytest.mark.parametrize("model", ["gd-8", "classifier"])
def test_models_without_a_scale_refuse_by_name(predictor: Predictor, model: str) -> None:
    y = np.eye(K)[np.arange(N) % K]
    for wanted, field in ((Wanted(0.9), "interval"), (Wanted(None, (0.5,)), "quantiles")):
        with pytest.raises(UnsupportedByModel, match=field):
            ask(predictor, model, y=y, wanted=wanted)
