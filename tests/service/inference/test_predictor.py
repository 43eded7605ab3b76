import numpy as np
import pytest

from service.errors import InvalidInput, NotReady, NumericOverflow, UnknownModel
from service.inference.checks import Limits
from service.inference.predictor import Observations, Predictor
from service.inference.sizes import Array
from service.registry.repository import Repository
from tests.closeness import assert_close

N, M, D, K = 7, 4, 5, 3


def context(x: Array | None = None, y: Array | None = None, weight: Array | None = None) -> Observations:
    generator = np.random.default_rng(7)
    drawn = generator.normal(size=(N, D)), generator.normal(size=(N, K))
    return Observations(drawn[0] if x is None else x, drawn[1] if y is None else y, weight)


def query(width: int = D) -> Array:
    return np.random.default_rng(11).normal(size=(M, width))


def fields(refused: pytest.ExceptionInfo[InvalidInput]) -> list[str]:
    return [problem.field for problem in refused.value.problems]


@pytest.mark.parametrize("model", ["gd-1", "gd-8", "linear", "nonlinear"])
def test_the_answer_has_the_shape_of_y(predictor: Predictor, model: str) -> None:
    rows = predictor.predict(model, context(), query())
    numbers = predictor.predict(model, context(y=context().y[:, 0]), query())
    assert rows.prediction.shape == (M, K)
    assert numbers.prediction.shape == (M,)
    assert rows.n_observations == N
    assert rows.model.name == model


@pytest.mark.parametrize(("version", "shrinkage"), [("1.0.0", 1e-9), ("2.0.0", 1e-4)])
def test_a_noiseless_line_is_found(predictor: Predictor, version: str, shrinkage: float) -> None:
    x = np.arange(6.0)[:, None]
    answer = predictor.predict("linear", Observations(x, 2 * x[:, 0] + 1), np.array([[8.0], [-3.0]]), version=version)
    assert_close(answer.prediction, [17.0, -5.0], "prediction", rtol=shrinkage)


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_weight_zero_leaves_an_observation_out(predictor: Predictor, model: str) -> None:
    all_seven, weight = context(), np.ones(N)
    weight[[2, 5]] = 0
    kept = Observations(all_seven.x[weight > 0], all_seven.y[weight > 0])
    weighted = Observations(all_seven.x, all_seven.y, weight)
    expected = predictor.predict(model, kept, query()).prediction
    assert_close(predictor.predict(model, weighted, query()).prediction, expected, "prediction", rtol=1e-9)


def test_a_parameter_reaches_the_graph(predictor: Predictor) -> None:
    data = context()
    answer = predictor.predict("gd-1", data, query(), {"learning_rate": 0.1})
    assert_close(answer.prediction, 0.1 / N * query() @ data.x.T @ data.y, "prediction", rtol=1e-9)


def test_everything_that_does_not_fit_is_named_at_once(predictor: Predictor) -> None:
    bad = context(y=np.ones((N - 1, K)), weight=np.zeros(N))
    with pytest.raises(InvalidInput) as refused:
        predictor.predict("gd-1", bad, query(D + 1), {"learning_rate": 0.0, "momentum": 1.0})
    assert fields(refused) == [
        "context.y",
        "context.weight",
        "query",
        "parameters.learning_rate",
        "parameters.momentum",
    ]


@pytest.mark.parametrize("weight", [[0.0, 0.0], [1.0, -1.0], [1.0, -2.0], [0.1 + 0.2, -0.3]])
def test_weights_that_sum_to_nothing_are_refused(predictor: Predictor, weight: list[float]) -> None:
    two = Observations(np.ones((2, 1)), np.ones(2), np.array(weight))
    with pytest.raises(InvalidInput, match=r"context\.weight: sums to nothing"):
        predictor.predict(None, two, np.ones((1, 1)))


@pytest.mark.parametrize("model", ["gd-1", "gd-8", "linear", "nonlinear"])
@pytest.mark.parametrize("scale", [1e155, 1e200, 1e300])
def test_numbers_whose_squares_overflow_are_refused(predictor: Predictor, model: str, scale: float) -> None:
    with pytest.raises(NumericOverflow, match="beyond float64"):
        predictor.predict(model, context(x=context().x * scale), query() * scale)


@pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
@pytest.mark.parametrize(("model", "columns"), [("linear", 70), ("nonlinear", 10)])
def test_many_features_beyond_floating_point_are_refused_like_few(
    predictor: Predictor, model: str, columns: int
) -> None:
    """Their readout is worked out behind the graph."""
    x = np.random.default_rng(0).normal(size=(50, columns)) * 1e160
    with pytest.raises(NumericOverflow, match="beyond float64"):
        predictor.predict(model, Observations(x, x[:, 0] / 1e160), x[:2])


def test_weights_whose_sum_overflows_are_refused(predictor: Predictor) -> None:
    with pytest.raises(
        InvalidInput, match=r"context\.weight: sums to more than float64 holds\. Send smaller weights\.$"
    ):
        predictor.predict(None, context(weight=np.full(N, 1e308)), query())


def test_a_request_may_cost_no_more_than_the_limits(repository: Repository) -> None:
    strict = Predictor(repository, "linear", Limits(max_columns=D + K - 1, max_predictions=M * K - 1))
    with pytest.raises(InvalidInput) as refused:
        strict.predict(None, context(), query())
    assert fields(refused) == ["context", "query"]
    assert f"has {D + K} columns of x and y; a request has at most {D + K - 1} (GDSSM_MAX_COLUMNS). Send fewer." in str(
        refused.value
    )
    exact = Predictor(repository, "linear", Limits(max_columns=D + K, max_predictions=M * K))
    assert exact.predict(None, context(), query()).prediction.shape == (M, K)


def test_a_request_may_bring_no_more_observations_than_the_limit(repository: Repository) -> None:
    def ask(most: int) -> None:
        Predictor(repository, "linear", Limits(1024, 10**6, max_observations=most)).predict(None, context(), query())

    ask(N)
    with pytest.raises(
        InvalidInput,
        match=rf"context\.x: has {N} observations; .* at most {N - 1} \(GDSSM_MAX_OBSERVATIONS\)\. Send fewer\.$",
    ):
        ask(N - 1)


def test_an_unknown_model_is_the_callers_fault_and_a_missing_default_is_not(repository: Repository) -> None:
    predictor = Predictor(repository, "missing", Limits(1024, 1000))
    for unknown in ("cubic", ""):
        with pytest.raises(UnknownModel):
            predictor.predict(unknown, context(), query())
    with pytest.raises(NotReady, match="'missing' is not loaded; loaded: classifier, gd-1, gd-8, linear"):
        predictor.predict(None, context(), query())
    assert predictor.predict("gd-1", context(), query()).model.name == "gd-1"


@pytest.mark.parametrize(
    ("x", "y", "place"),
    [
        ([[1.0, 2.0], [3e200, 1.0], [2.0, 5.0]], [1.0, 2.0, 3.0], r"context\.x\[1\]\[0\]: is 3e\+200"),
        ([[1.0, 2.0], [3.0, 1.0], [2.0, 5.0]], [1.0, 2.0, -1e180], r"context\.y\[2\]: is -1e\+180"),
    ],
)
def test_an_overflow_names_the_cells(predictor: Predictor, x: list[list[float]], y: list[float], place: str) -> None:
    with pytest.raises(NumericOverflow, match=f"beyond float64.* {place}, too large for sums of squares"):
        predictor.predict("linear", Observations(np.array(x), np.array(y)), np.ones((1, 2)))
