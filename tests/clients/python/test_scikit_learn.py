"""scikit-learn's own checks, and its tools around the estimators."""

import copy
import pickle
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse  # type: ignore[import-untyped]
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from gdssm_client import Client
from gdssm_client.sklearn import GDSSMClassifier, GDSSMRegressor
from gdssm_client.sklearn.engine import open_engine
from gdssm_client.sklearn.estimator import CALL_NUMBERS, _pieces
from tests.closeness import assert_close
from tests.running import Server

N, D, K = 61, 5, 3
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(N, D)) * [1.0, 0.5, 3.0, 1.0, 2.0] + 7.0
W = GENERATOR.normal(size=(D, K))
Y = X @ W + [1.0, -2.0, 30.0] + 0.1 * GENERATOR.normal(size=(N, K))
LABELS = np.array(["low", "middle", "high"])[np.digitize(Y[:, 0], np.quantile(Y[:, 0], [1 / 3, 2 / 3]))]


ORDERED = {
    f"check_sample_weight_equivalence_on_{kind}_data": "a row of weight 2 is one step in time, two rows are two"
    for kind in ("dense", "sparse")
}


@pytest.mark.slow
@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [
        GDSSMRegressor(),
        GDSSMRegressor("linear"),
        GDSSMClassifier(),
        GDSSMRegressor("gd-8"),
        GDSSMRegressor("linear", decay="auto"),
    ],
    expected_failed_checks=lambda estimator: ORDERED if getattr(estimator, "decay", None) == "auto" else {},
)
def test_scikit_learns_own_checks_pass(estimator: BaseEstimator, check: Callable[[BaseEstimator], None]) -> None:
    check(estimator)


def test_estimator_works_in_pipeline_and_cross_validation() -> None:
    scores = cross_val_score(make_pipeline(StandardScaler(), GDSSMRegressor()), X, Y[:, 0], cv=3)
    assert (scores > 0.9).all()
    assert (cross_val_score(GDSSMClassifier(), X, LABELS, cv=3) > 0.6).all()


def test_a_grid_search_chooses_the_learning_rate() -> None:
    centred, y = X - X.mean(axis=0), Y[:, 0] - Y[:, 0].mean()
    search = GridSearchCV(GDSSMRegressor("gd-8"), {"learning_rate": [1e-4, 0.1]}, cv=3).fit(centred, y)
    assert search.best_params_ == {"learning_rate": 0.1}
    assert search.best_score_ > 0.8


@pytest.mark.parametrize("estimator", [GDSSMRegressor(), GDSSMClassifier()])
def test_clones_are_unfitted_and_pickles_keep_the_state(estimator: BaseEstimator) -> None:
    y = Y[:, 0] if isinstance(estimator, GDSSMRegressor) else LABELS
    fitted = clone(estimator).fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), fitted.predict(X))  # noqa: S301
    with pytest.raises(NotFittedError):
        clone(fitted).predict(X)


GAPS = np.where(GENERATOR.random((N, D)) < 0.2, np.nan, X)
GAPS[0] = np.nan


@pytest.mark.slow
@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_missing_cells_match_the_client(server: Server, model: str) -> None:
    frame = pd.DataFrame(GAPS, columns=list("abcde"))
    with Client() as client:
        expected = client.predict(frame, Y, frame[:9], model=model).prediction
    for url in (None, server.url):
        estimator = GDSSMRegressor(model, url=url)
        assert get_tags(estimator).input_tags.allow_nan
        assert_close(estimator.fit(frame, Y).predict(frame[:9]), expected, "prediction", rtol=1e-9)
        assert get_tags(estimator).input_tags.allow_nan
    pieces = GDSSMRegressor(model).partial_fit(X[:20], Y[:20]).partial_fit(GAPS[20:], Y[20:])
    late = np.vstack([X[:20], GAPS[20:]])
    if model == "linear":  # the scale of features is that of the first observations, and they came in two pieces
        assert_close(pieces.predict(GAPS), GDSSMRegressor("linear").fit(late, Y).predict(GAPS), "prediction", rtol=1e-7)


@pytest.mark.parametrize("estimator", [GDSSMRegressor("gd-8"), GDSSMClassifier("softmax-1")])
def test_missing_cells_are_reported_for_other_models(server: Server, estimator: BaseEstimator) -> None:
    y = Y[:, 0] if isinstance(estimator, GDSSMRegressor) else LABELS
    gaps = np.where(X == X[3, 1], np.nan, X)  # noqa: SIM300
    assert not get_tags(estimator).input_tags.allow_nan
    for url in (None, server.url):
        unfitted = clone(estimator).set_params(url=url)
        fitted = clone(unfitted).fit(X, y)
        assert not get_tags(fitted).input_tags.allow_nan
        for ask in (partial(unfitted.fit, gaps, y), partial(fitted.predict, gaps)):
            with pytest.raises(
                ValueError, match=rf"^X\[3\]\[1\]: is missing; model {estimator.model} takes no missing"
            ):
                ask()


def test_y_is_never_missing() -> None:
    for y in (np.where(np.arange(N) == 3, np.nan, Y[:, 0]), [1.0, 2.0, 3.0, None, *Y[4:, 0]]):
        with pytest.raises(
            ValueError, match=r"^y must be numbers; y\[3\] is missing. Fill it in, or leave the row out.$"
        ):
            GDSSMRegressor().fit(X, y)
    with pytest.raises(ValueError, match=r"^y\[3\] is missing. Fill it in, or leave the row out.$"):
        GDSSMClassifier().fit(X, [*LABELS[:3], None, *LABELS[4:]])


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
def test_sparse_rows_match_dense_rows(kind: Callable[[object], Any]) -> None:
    colours = np.array(["red", "green", "blue"])[np.arange(N) % 3, None]
    encoded = OneHotEncoder().fit_transform(colours)
    expected = GDSSMRegressor("linear").fit(encoded.toarray(), Y[:, 0]).predict(encoded.toarray())
    estimator = make_pipeline(OneHotEncoder(), GDSSMRegressor("linear")).fit(colours, Y[:, 0])
    np.testing.assert_array_equal(estimator.predict(colours), expected)
    fitted = GDSSMRegressor("linear").fit(kind(encoded), Y[:, 0])
    np.testing.assert_array_equal(fitted.predict(kind(encoded)), expected)
    np.testing.assert_array_equal(fitted.predict(encoded.toarray()), expected)
    assert get_tags(fitted).input_tags.sparse


def test_two_columns_of_one_name_are_refused_in_the_words_of_the_client() -> None:
    frame = pd.DataFrame(X[:, :2], columns=["a", "b"])
    fitted, twice = GDSSMRegressor("linear").fit(frame, Y), frame.set_axis(["a", "a"], axis=1)
    for ask in (partial(GDSSMRegressor().fit, twice, Y), partial(fitted.predict, twice)):
        with pytest.raises(ValueError, match=r"^X has more than one column 'a'. Give each column its own name.$"):
            ask()


def test_very_large_sparse_rows_are_refused_with_a_remedy() -> None:
    with pytest.raises(ValueError, match=r"X is sparse and would be 1000000 × 1000000 numbers .*TruncatedSVD"):
        GDSSMRegressor().fit(sparse.csr_array((10**6, 10**6)), np.zeros(10**6))


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (X[:, 0] > 7, "column 'a' is of type bool. Send 1 and 0"),
        (X[:, 0].astype(str), "column 'a' is of type str. Convert text that is a number"),
        (pd.Categorical(LABELS), r"X\[0\], column 'a', is the text"),
        (pd.to_datetime(np.arange(N)), "column 'a' is of type datetime64"),
        (np.where(np.arange(N) == 3, np.inf, X[:, 0]), r"X\[3\], column 'a', is infinite, or too large for float64"),
    ],
    ids=["booleans", "text", "categories", "times", "infinite"],
)
def test_columns_that_were_numbers_must_be_numbers(column: Any, message: str) -> None:  # noqa: ANN401
    numbers = pd.DataFrame(X, columns=list("abcde"))
    frame = numbers.assign(a=column)
    for estimator, y in ((GDSSMRegressor(), Y[:, 0]), (GDSSMClassifier(), LABELS)):
        fitted = clone(estimator).fit(numbers, y)
        with pytest.raises(ValueError, match=f"^X must be numbers; {message}"):
            fitted.predict(frame)


def test_numbers_of_any_kind_are_learnt_as_floats_are() -> None:
    whole = np.arange(2.0 * N).reshape(N, 2)
    expected = GDSSMRegressor("linear").fit(whole, Y[:, 0]).predict(whole)
    decimals = pd.DataFrame(whole).map(Decimal)
    nullable = pd.DataFrame(whole).astype("Int64")
    for rows in (decimals, nullable, pl.DataFrame(whole), np.ma.MaskedArray(whole), whole.astype(np.float16).tolist()):
        y, weight = np.array(list(map(Fraction, Y[:, 0]))), np.array([Decimal(1)] * N)
        fitted = GDSSMRegressor("linear").fit(rows, y, sample_weight=weight)
        np.testing.assert_array_equal(fitted.predict(rows), expected)


def test_masked_cells_are_missing() -> None:
    hidden = np.isnan(GAPS)
    masked = np.ma.MaskedArray(np.where(hidden, 1e6, X), hidden)
    expected = GDSSMRegressor("linear").fit(GAPS, Y).predict(GAPS)
    np.testing.assert_array_equal(GDSSMRegressor("linear").fit(masked, Y).predict(masked), expected)
    with pytest.raises(ValueError, match=r"^X\[0\]\[0\]: is missing; model gd-8 takes no missing cells"):
        GDSSMRegressor("gd-8").fit(masked, Y)
    with pytest.raises(ValueError, match=r"^y must be numbers; y\[3\] is missing"):
        GDSSMRegressor().fit(X, np.ma.MaskedArray(Y[:, 0], np.arange(N) == 3))
    with pytest.raises(ValueError, match=r"^sample_weight must be numbers; sample_weight\[3\] is missing"):
        GDSSMRegressor().fit(X, Y, sample_weight=np.ma.MaskedArray(np.ones(N), np.arange(N) == 3))


def test_columns_of_a_frame_are_checked_by_name() -> None:
    frame = pd.DataFrame(X, columns=list("abcde"))
    estimator = GDSSMRegressor().fit(frame, Y)
    assert list(estimator.feature_names_in_) == list("abcde")
    with pytest.raises(ValueError, match="feature names"):
        estimator.predict(frame[list("bacde")])


@pytest.mark.parametrize("model", ["linear", "gd-1"])
def test_partial_fit_of_pieces_matches_fit(model: str) -> None:
    whole, pieces = GDSSMRegressor(model).fit(X, Y), GDSSMRegressor(model)
    for rows in (slice(0, 20), slice(20, 21), slice(21, N)):
        pieces.partial_fit(X[rows], Y[rows])
    assert pieces.n_observations_ == N
    assert_close(pieces.predict(X), whole.predict(X), "prediction", rtol=1e-9)


def test_weight_minus_one_removes_an_observation() -> None:
    estimator = GDSSMRegressor("linear").fit(X, Y[:, 0])
    estimator.partial_fit(X[40:], Y[40:, 0], sample_weight=-np.ones(N - 40))
    without = GDSSMRegressor("linear").fit(X[:40], Y[:40, 0])
    assert_close(estimator.predict(X), without.predict(X), "prediction", rtol=1e-7)


def test_classifier_partial_fit_of_pieces_matches_fit() -> None:
    pieces = GDSSMClassifier().partial_fit(X[:1], LABELS[:1], classes=np.unique(LABELS)).partial_fit(X[1:], LABELS[1:])
    whole = GDSSMClassifier().fit(X, LABELS)
    assert_close(pieces.predict_proba(X), whole.predict_proba(X), "probabilities", rtol=1e-7)
    assert_close(whole.predict_proba(X).sum(axis=1), np.ones(N), "sums", rtol=1e-9)
    with pytest.raises(ValueError, match=r"classes \['other'\], which are not among"):
        whole.partial_fit(X[:1], ["other"])


@pytest.mark.slow
@pytest.mark.parametrize("decay", [0.9, "auto"])
def test_decay_matches_a_context(server: Server, decay: float | Literal["auto"]) -> None:
    local, remote = (GDSSMRegressor("linear", decay=decay, url=url) for url in (None, server.url))
    with Client() as client:
        context = client.contexts.create("linear", decay=decay)
        for rows in (slice(0, 20), slice(20, 21), slice(21, N)):
            context.observe(X[rows], Y[rows])
            for estimator in (local, remote):
                estimator.partial_fit(X[rows], Y[rows])
        expected = context.predict(X, interval=0.8)
        assert context.refresh().memory_length == (local.memory_length_ if decay == "auto" else None)
    for estimator in (local, remote):
        assert_close(estimator.predict(X), expected.prediction, "prediction", rtol=1e-9)
        assert_close(estimator.predict_interval(X, 0.8)[1], expected.upper, "upper bounds", rtol=1e-9)
        assert_close(X @ estimator.coef_.T + estimator.intercept_, expected.prediction, "linear model", rtol=1e-7)
    assert hasattr(local, "memory_length_") == (decay == "auto")


@pytest.mark.parametrize("decay", [0, 2, "atuo"])
def test_invalid_decay_raises_value_error(server: Server, decay: object) -> None:
    for url in (None, server.url):
        with pytest.raises(ValueError, match='decay: must be above 0 and at most 1, or "auto"'):
            GDSSMRegressor(decay=decay, url=url).fit(X, Y)  # type: ignore[arg-type]


@pytest.mark.slow
def test_auto_decay_has_no_effects() -> None:
    with pytest.raises(ValueError, match="averages several models"):
        GDSSMRegressor(decay="auto").fit(X, Y).explain()


def test_negative_weights_are_refused_with_decay() -> None:
    with pytest.raises(ValueError, match="With decay auto weights must not be negative"):
        GDSSMRegressor(decay="auto").fit(X, Y).partial_fit(X[:1], Y[:1], sample_weight=[-1.0])


@pytest.mark.slow
@pytest.mark.parametrize("model", ["linear", "nonlinear", "gd-8"])
def test_partial_fit_refuses_precision_loss(server: Server, model: str) -> None:
    mistake = 1e9 * X[:1]
    for url in (None, server.url):
        estimator = GDSSMRegressor(model, url=url).fit(X, Y)
        before = estimator.predict(X)
        with pytest.raises(ValueError, match=r"x\[0\]\[.\]: is .*e\+0[89].* allow_precision_loss"):
            estimator.partial_fit(mistake, Y[:1])
        np.testing.assert_array_equal(estimator.predict(X), before)
        assert estimator.n_observations_ == len(X)
        with pytest.raises(ValueError, match="takes out"):
            estimator.partial_fit(X, Y, sample_weight=np.full(len(X), -2.0))
        estimator.set_params(allow_precision_loss=True).partial_fit(mistake, Y[:1])
        with pytest.raises(ValueError, match="cannot be taken out exactly"):
            estimator.partial_fit(mistake, Y[:1], sample_weight=[-1.0])


def test_fit_refuses_impossible_removals_only() -> None:
    x = np.array([[1.0], [2], [3], [9], [1e9]])
    assert GDSSMRegressor("linear").fit(x, 2 * x[:, 0]).n_observations_ == 5
    with pytest.raises(ValueError, match="takes out observations that were never made"):
        GDSSMRegressor("linear").fit(x[:4], 2 * x[:4, 0], sample_weight=[1.0, 1.0, 1.0, -1.0])


def test_estimator_pickled_by_earlier_version_continues() -> None:
    estimator = GDSSMRegressor("linear").fit(X, Y)
    expected = copy.deepcopy(estimator).partial_fit(X, -Y).predict(X)
    now, former = b"gdssm_client.learning.learning\nLearned\n", b"service.contexts.learning\nKept\n"
    former_name = pickle.dumps(estimator, protocol=0).replace(now, former)
    assert former in former_name
    loaded = pickle.loads(former_name)  # noqa: S301  (written above)
    np.testing.assert_allclose(loaded.partial_fit(X, -Y).predict(X), expected)
    del estimator._kept
    np.testing.assert_allclose(estimator.partial_fit(X, -Y).predict(X), expected)


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize(("model", "rate"), [("linear", None), ("gd-8", 0.001)])
def test_coefficients_are_the_prediction_in_the_callers_units(model: str, rate: float | None, flat: bool) -> None:
    y = Y[:, 0] if flat else Y
    estimator = GDSSMRegressor(model, learning_rate=rate).fit(X, y)
    shape, expected = ((D,), ()) if flat else ((K, D), (K,)), LinearRegression().fit(X, y)
    assert (estimator.coef_.shape, np.shape(estimator.intercept_)) == shape
    assert_close(X @ estimator.coef_.T + estimator.intercept_, estimator.predict(X), "prediction", rtol=1e-9)
    if model == "linear":
        np.testing.assert_allclose(estimator.coef_, expected.coef_, atol=0.1)


def test_a_model_without_coefficients_has_none() -> None:
    inputs = GENERATOR.normal(size=(N, 10))
    for model in ("linear-trained", "nonlinear"):
        assert not hasattr(GDSSMRegressor(model).fit(inputs, Y[:, 0]), "coef_")
    assert not hasattr(GDSSMRegressor(), "coef_")


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (GDSSMRegressor("cubic"), "There is no model 'cubic'. Choose one of"),
        (GDSSMRegressor("gd-1", learning_rate=-1.0), "learning_rate: must be greater than 0; this is -1"),
        (GDSSMRegressor("linear-trained"), "x: needs the shape"),
    ],
)
def test_errors_of_the_model_are_value_errors(estimator: GDSSMRegressor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, Y[:, 0]).predict(X)


ESTIMATORS = [GDSSMRegressor(), GDSSMRegressor("linear"), GDSSMRegressor("gd-8", learning_rate=0.01)]


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: estimator.model)
def test_remote_estimator_matches_local_one(server: Server, estimator: GDSSMRegressor) -> None:
    local = clone(estimator).fit(X, Y).partial_fit(X[:7], Y[:7])
    remote = clone(estimator).set_params(url=server.url).fit(X, Y).partial_fit(X[:7], Y[:7])
    np.testing.assert_array_equal(remote.predict(X), local.predict(X))
    assert hasattr(remote, "coef_") == hasattr(local, "coef_") == (estimator.model != "nonlinear")
    if estimator.model != "nonlinear":
        np.testing.assert_array_equal(remote.coef_, local.coef_)
        np.testing.assert_array_equal(remote.intercept_, local.intercept_)
    assert remote.set_params(url=None).predict(X).tolist() == local.predict(X).tolist()


def test_remote_classifier_matches_local_one(server: Server) -> None:
    local, remote = (GDSSMClassifier(url=url).fit(X, LABELS) for url in (None, server.url))
    np.testing.assert_array_equal(remote.predict_proba(X), local.predict_proba(X))


def test_errors_of_a_remote_model_are_value_errors(server: Server) -> None:
    with pytest.raises(ValueError, match="learning_rate: must be greater than 0; this is -1"):
        GDSSMRegressor("gd-1", learning_rate=-1.0, url=server.url).fit(X, Y).predict(X)
    with pytest.raises(ValueError, match="There is no model 'cubic'"):
        GDSSMRegressor("cubic", url=server.url).fit(X, Y)


def test_large_data_are_sent_in_pieces() -> None:
    assert list(_pieces(5, CALL_NUMBERS // 2)) == [slice(0, 2), slice(2, 4), slice(4, 6)]
    assert list(_pieces(2, 2 * CALL_NUMBERS)) == [slice(0, 1), slice(1, 2)]
    with open_engine("linear", None, None, None) as found:
        assert found.manifest.name == "linear"
