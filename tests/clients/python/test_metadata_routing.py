"""scikit-learn routes metadata to the estimators, sets the output of steps before them, and shows them as HTML."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr
from sklearn.utils.estimator_checks import check_estimator

from gdssm_client.sklearn import GDSSMClassifier, GDSSMRegressor

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(41, 3)) + 5.0
Y = X @ [1.0, -2.0, 0.5] + 0.3 * GENERATOR.normal(size=41)
LABELS = np.where(np.median(Y) < Y, "high", "low")
WEIGHT = np.where(np.arange(41) % 2 == 0, 5.0, 0.2)
KEY = "gdssm_0123_SECRET"
ESTIMATORS = [(GDSSMRegressor("linear"), Y), (GDSSMClassifier(), LABELS)]
CASES = pytest.mark.parametrize(("estimator", "y"), ESTIMATORS, ids=["regressor", "classifier"])


@pytest.fixture(autouse=True)
def routing() -> Iterator[None]:
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [GDSSMRegressor("linear"), GDSSMClassifier()])
def test_scikit_learns_own_checks_pass_with_routing(estimator: BaseEstimator) -> None:
    found = check_estimator(estimator, on_skip=None)
    assert {result["status"] for result in found} <= {"passed", "skipped"}


def test_every_metadata_can_be_requested() -> None:
    requests = {kind: kind().get_metadata_routing() for kind in (GDSSMRegressor, GDSSMClassifier)}
    assert {*requests[GDSSMRegressor].fit.requests} == {"sample_weight"}
    assert {*requests[GDSSMRegressor].partial_fit.requests} == {"sample_weight"}
    assert {*requests[GDSSMRegressor].predict.requests} == {"return_std"}
    assert {*requests[GDSSMRegressor].score.requests} == {"sample_weight"}
    assert {*requests[GDSSMClassifier].fit.requests} == {"sample_weight"}
    assert {*requests[GDSSMClassifier].partial_fit.requests} == {"classes", "sample_weight"}
    assert {*requests[GDSSMClassifier].score.requests} == {"sample_weight"}


@CASES
def test_weights_reach_the_last_step_of_a_pipeline(estimator: BaseEstimator, y: NDArray[np.generic]) -> None:
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    pipeline = make_pipeline(scaler, clone(estimator).set_fit_request(sample_weight=True))
    found = pipeline.fit(X, y, sample_weight=WEIGHT).predict(X)
    scaled = StandardScaler().fit_transform(X)
    expected = clone(estimator).fit(scaled, y, sample_weight=WEIGHT).predict(scaled)
    np.testing.assert_array_equal(found, expected)
    assert (make_pipeline(StandardScaler(), clone(estimator)).fit(X, y).predict(X) != found).any()


def test_standard_deviations_can_be_requested_through_a_pipeline() -> None:
    estimator = GDSSMRegressor("linear").set_predict_request(return_std=True)
    prediction, deviation = make_pipeline(StandardScaler(), estimator).fit(X, Y).predict(X, return_std=True)
    assert prediction.shape == deviation.shape == Y.shape
    assert (deviation > 0).all()


@CASES
def test_weights_reach_fit_and_score_in_cross_validation(estimator: BaseEstimator, y: NDArray[np.generic]) -> None:
    asked = clone(estimator).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    found = cross_validate(asked, X, y, cv=3, params={"sample_weight": WEIGHT}, return_estimator=True)
    assert len(found["estimator"]) == 3
    for fitted in found["estimator"]:
        assert float(np.sum(fitted.state_["state.count"])) > 41.0  # the sum of the weights, not the number of rows
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        cross_validate(clone(estimator), X, y, cv=3, params={"sample_weight": WEIGHT}, error_score="raise")


def test_weights_reach_a_grid_search() -> None:
    asked = GDSSMRegressor("gd-8").set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    search = GridSearchCV(asked, {"learning_rate": [1e-4, 0.1]}, cv=3)
    centred, y = X - X.mean(0), Y - Y.mean()
    assert search.fit(centred, y, sample_weight=WEIGHT).best_params_ == {"learning_rate": 0.1}
    expected = GDSSMRegressor("gd-8", learning_rate=0.1).fit(centred, y, sample_weight=WEIGHT)
    np.testing.assert_array_equal(search.predict(centred), expected.predict(centred))


@CASES
def test_pipeline_output_sets_the_frames_that_the_estimator_learns(
    estimator: BaseEstimator, y: NDArray[np.generic]
) -> None:
    pipeline = make_pipeline(StandardScaler(), clone(estimator)).set_output(transform="pandas")
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    assert isinstance(pipeline.fit(frame, y).predict(frame), np.ndarray)
    assert list(pipeline[-1].feature_names_in_) == ["a", "b", "c"]
    assert not hasattr(estimator, "set_output")  # predictors transform nothing


@CASES
def test_html_has_parameters_without_secrets(estimator: BaseEstimator, y: NDArray[np.generic]) -> None:
    private = clone(estimator).set_params(api_key=KEY, url="http://me:SECRET@127.0.0.1:9/base")
    fitted = clone(estimator).fit(X, y).set_params(**private.get_params())
    for shown in (private, fitted, clone(private), make_pipeline(StandardScaler(), private)):
        for text in (estimator_html_repr(shown), shown._repr_html_(), repr(shown), str(shown.get_params())):
            assert "SECRET" not in text
            assert "http://127.0.0.1:9/base" in text
    assert private.url == "http://me:SECRET@127.0.0.1:9/base"
