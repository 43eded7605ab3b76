"""The accuracy of the practical models on real tables is as documented (all tables: `benchmarks/accuracy`)."""

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.accuracy import tables
from service.inference.checks import Limits
from service.inference.distribution import Wanted
from service.inference.predictor import Observations, Predictor
from service.registry.repository import Repository
from service.settings import Settings

TABLES = ("diabetes", "Boston", "concrete", "Auto", "friedman1", "noise")
SIZES = (20, 100)
SPLITS = 9
LEVEL = 0.9
Scores = dict[tuple[str, int], dict[str, float]]


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(Repository.load([Settings().zoo], 1), "linear", Limits(max_columns=100, max_predictions=1000))


@pytest.fixture(scope="module")
def scores(predictor: Predictor) -> Scores:
    """The median R² of RidgeCV and of the models over splits, and how often their 90 % interval holds y."""
    return {(name, size): _case(predictor, name, size) for name in TABLES for size in SIZES}


def _case(predictor: Predictor, name: str, size: int) -> dict[str, float]:
    table, runs = tables.load(name), []
    for split in range(SPLITS):
        order = np.random.default_rng(1000 * split + size).permutation(len(table.x))
        context, test = order[:size], order[size : size + 400]
        x, y, query, truth = table.x[context], table.y[context], table.x[test], table.y[test]
        ridge = make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(-3, 3, 13))).fit(x, y).predict(query)
        run = {"RidgeCV": _r2(truth, ridge)}
        for model in ("linear", "nonlinear"):
            answer = predictor.predict(model, Observations(x, y), query, wanted=Wanted(LEVEL))
            run[model] = _r2(truth, answer.prediction)
            assert answer.lower is not None
            assert answer.upper is not None
            run[f"{model} coverage"] = float(np.mean((answer.lower <= truth) & (truth <= answer.upper)))
        runs.append(run)
    return {what: float(np.median([run[what] for run in runs])) for what in runs[0]}


def _r2(truth: np.ndarray, prediction: np.ndarray) -> float:
    return float(1.0 - np.mean((truth - prediction) ** 2) / truth.var())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", TABLES)
def test_linear_is_no_worse_than_ridge(scores: Scores, name: str, size: int) -> None:
    assert scores[name, size]["linear"] >= scores[name, size]["RidgeCV"] - 0.04


@pytest.mark.parametrize("size", SIZES)
def test_nonlinear_is_better_than_ridge_on_most_tables(scores: Scores, size: int) -> None:
    gains = [scores[name, size]["nonlinear"] - scores[name, size]["RidgeCV"] for name in TABLES]
    assert np.median(gains) >= 0.02
    assert min(gains) >= -0.06


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_intervals_have_their_nominal_coverage(scores: Scores, model: str, size: int) -> None:
    coverage = np.mean([scores[name, size][f"{model} coverage"] for name in TABLES])
    assert LEVEL - 0.03 <= coverage <= LEVEL + 0.03


def test_the_interval_is_of_a_t_distribution(predictor: Predictor) -> None:
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(7, 2)), generator.normal(size=7)
    wide, narrow = (predictor.predict("linear", Observations(x, y), x, wanted=Wanted(level)) for level in (0.9, 0.5))
    assert wide.upper is not None
    assert narrow.upper is not None
    ratio = (wide.upper - wide.prediction) / (narrow.upper - narrow.prediction)
    np.testing.assert_allclose(ratio, stats.t.ppf(0.95, 6) / stats.t.ppf(0.75, 6))
