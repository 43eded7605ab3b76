"""Intervals and quantiles through the Python client and the estimators."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats  # type: ignore[import-untyped]

from gdssm_client import Client, array_body
from gdssm_client.errors import InvalidInput
from gdssm_client.sklearn.regressor import GDSSMRegressor

N, M, D, K = 23, 5, 3, 2
GENERATOR = np.random.default_rng(0)
X, QUERY = GENERATOR.normal(size=(N, D)), GENERATOR.normal(size=(M, D))
Y = X @ GENERATOR.normal(size=(D, K)) + GENERATOR.normal(size=(N, K))


@pytest.mark.slow
def test_bounds_have_the_kind_of_the_query() -> None:
    frame, query = pd.DataFrame(X, columns=[*"abc"]), pd.DataFrame(QUERY, columns=[*"abc"], index=range(7, 7 + M))
    y = pd.DataFrame(Y, columns=["u", "v"])
    with Client() as client:
        answer = client.predict(frame, y, query, interval=0.8, quantiles=[0.1, 0.5])
        lists = client.predict(X.tolist(), Y.tolist(), QUERY.tolist(), interval=0.8)
    assert list(answer.lower.columns) == ["u", "v"]
    assert list(answer.upper.index) == list(query.index)
    pd.testing.assert_frame_equal(answer.quantiles[0], answer.lower)
    pd.testing.assert_frame_equal(answer.quantiles[1], answer.prediction)
    assert lists.lower == answer.lower.to_numpy().tolist()


@pytest.mark.slow
def test_context_predictions_have_intervals_and_notes() -> None:
    with Client() as client:
        context = client.contexts.create("nonlinear")
        context.observe(np.insert(X, 1, 3.0, axis=1), Y)
        answer = context.predict(np.insert(QUERY, 1, 3.0, axis=1), interval=0.9)
    assert answer.notes == ("constant_columns",)
    assert (answer.lower < answer.prediction).all()
    assert (answer.prediction < answer.upper).all()


@pytest.mark.slow
def test_interval_of_model_without_scale_is_refused() -> None:
    with Client() as client, pytest.raises(InvalidInput, match="interval"):
        client.predict(X, Y, QUERY, model="gd-8", interval=0.9)


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
@pytest.mark.parametrize("columns", [0, slice(None)], ids=["numbers", "rows"])
def test_an_estimator_gives_deviations_intervals_and_quantiles(model: str, columns: int | slice) -> None:
    y = Y[:, columns]
    regressor = GDSSMRegressor(model).fit(X, y)
    prediction, deviation = regressor.predict(QUERY, return_std=True)
    lower, upper = regressor.predict_interval(QUERY, 0.8)
    quantiles = regressor.predict_quantiles(QUERY, [0.1, 0.5, 0.9])
    assert quantiles.shape == (3, *prediction.shape)
    np.testing.assert_allclose(quantiles, [lower, prediction, upper])
    scale = (upper - prediction) / stats.t.ppf(0.9, N - 1)
    np.testing.assert_allclose(deviation, scale * np.sqrt((N - 1) / (N - 3)))


def test_a_deviation_is_infinite_where_the_distribution_has_none() -> None:
    regressor = GDSSMRegressor().fit(X[:2], Y[:2, 0])
    assert np.isinf(regressor.predict(QUERY, return_std=True)[1]).all()
    assert np.isfinite(regressor.predict_interval(QUERY)).all()
    assert np.isfinite(GDSSMRegressor().fit(X[:4], Y[:4, 0]).predict(QUERY, return_std=True)[1]).all()


def test_estimator_refuses_intervals_without_scale() -> None:
    with pytest.raises(ValueError, match="gives no intervals"):
        GDSSMRegressor("gd-8").fit(X, Y).predict_interval(QUERY)
    with pytest.raises(ValueError, match="above 0 and below 1"):
        GDSSMRegressor().fit(X, Y).predict_quantiles(QUERY, [0.5, 1.0])


def test_a_number_alone_is_one_quantile() -> None:
    assert array_body.quantile_list(0.5) == [0.5]  # type: ignore[arg-type]  # as people pass it
    assert array_body.quantile_list([0.1, 0.9]) == [0.1, 0.9]
    assert array_body.quantile_list(()) is None
