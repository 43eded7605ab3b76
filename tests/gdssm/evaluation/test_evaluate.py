import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.confidence import Interval
from gdssm.evaluation.evaluate import Candidate, EvaluationConfig, Score, Skipped, evaluate, result_count
from gdssm.evaluation.learners import FixedRateDescent, Mean
from gdssm.evaluation.metrics import half_mean_squared_error
from gdssm.evaluation.references import REFERENCES, best_ridge, descent
from gdssm.evaluation.tasks.linear import Linear, Noisy
from gdssm.evaluation.tasks.task import Batch
from tests.nonempty import nonempty

CONFIG = EvaluationConfig(seed=3, tasks=40, queries=3, observations=7, curve=(2, 7), tuning_tasks=300)
SUITE = (("linear", Linear(inputs=5, outputs=2)), ("noisy", Noisy(Linear(inputs=5))))


@dataclass(frozen=True)
class Picky:
    """Takes five inputs and one output."""

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        if y.shape[2] != 1:
            raise ValueError(f"takes one output, not {y.shape[2]}.")
        return FixedRateDescent(1.0).predict(x, y, x_query)


def scores(config: EvaluationConfig = CONFIG) -> dict[tuple[str, str], Score | Skipped]:
    results = evaluate(config, SUITE, {"picky": Candidate(Picky())})
    return {(result.distribution, result.learner): result for result in results}


@pytest.fixture(scope="module")
def measured() -> dict[tuple[str, str], Score | Skipped]:
    return scores()


def score(measured: dict[tuple[str, str], Score | Skipped], distribution: str, learner: str) -> Score:
    result = measured[distribution, learner]
    assert isinstance(result, Score)
    return result


@pytest.mark.slow
def test_there_is_a_result_for_every_learner_on_every_distribution(
    measured: dict[tuple[str, str], Score | Skipped],
) -> None:
    assert set(measured) == {(name, learner) for name, _ in SUITE for learner in ("picky", *REFERENCES)}
    assert len(measured) == result_count(SUITE, {"picky": Candidate(Picky())})


def test_a_learner_that_raises_is_skipped_with_its_reason(
    measured: dict[tuple[str, str], Score | Skipped],
) -> None:
    assert measured["linear", "picky"] == Skipped("linear", "picky", "takes one output, not 2.")
    assert score(measured, "noisy", "picky").loss.mean > 0


@pytest.mark.slow
def test_a_seed_decides_every_number(measured: dict[tuple[str, str], Score | Skipped]) -> None:
    assert scores() == measured
    assert scores(EvaluationConfig(**{**CONFIG.__dict__, "seed": 4})) != measured


@pytest.mark.slow
def test_a_distribution_s_numbers_do_not_depend_on_the_rest_of_the_suite(
    measured: dict[tuple[str, str], Score | Skipped],
) -> None:
    alone = evaluate(CONFIG, SUITE[1:], {"picky": Candidate(Picky())})
    assert {result.learner: result for result in alone} == {
        learner: result for (name, learner), result in measured.items() if name == "noisy"
    }


def test_the_means_are_the_metrics(measured: dict[tuple[str, str], Score | Skipped]) -> None:
    """The streams are written out here: task by task, from the seed and the name."""

    def batch(stream: int, tasks: int) -> Batch:
        rng = np.random.default_rng([3, stream, zlib.crc32(b"noisy")])
        return SUITE[1][1].sample(rng, tasks, 7, 3)

    asked = batch(0, 40)
    prediction = Picky().predict(asked.x, asked.y, asked.x_query)
    found = score(measured, "noisy", "picky")
    assert found.loss.mean == pytest.approx(half_mean_squared_error(prediction, asked.y_query), rel=1e-12)
    spread = asked.y_query - asked.y_query.mean(axis=(0, 1))
    explained = 1 - ((asked.y_query - prediction) ** 2).sum() / (spread**2).sum()
    assert found.r2.mean == pytest.approx(explained, rel=1e-12)
    reference = descent(batch(1, 300), 1).predict(asked.x, asked.y, asked.x_query)
    difference = np.linalg.norm(prediction - reference) / np.linalg.norm(reference)
    assert found.relative_prediction_difference.mean == pytest.approx(difference, rel=1e-9)
    assert found.sensitivity_cosine.mean == pytest.approx(1.0, abs=1e-9)  # one step, of another length


def test_every_interval_holds_its_mean(measured: dict[tuple[str, str], Score | Skipped]) -> None:
    for result in nonempty(measured.values()):
        if isinstance(result, Score):
            for interval in (result.loss, result.r2, *(point.loss for point in result.curve)):
                assert interval.low <= interval.mean <= interval.high


def test_descent_is_aligned_with_itself(measured: dict[tuple[str, str], Score | Skipped]) -> None:
    found = score(measured, "linear", "descent-1")
    assert found.relative_prediction_difference.mean == 0
    assert found.sensitivity_cosine.mean == pytest.approx(1.0, abs=1e-12)


@pytest.mark.slow
def test_a_model_is_compared_with_descent_of_as_many_steps() -> None:
    sample = SUITE[0][1].sample(np.random.default_rng(0), 300, 7, 3)
    candidates = {"two": Candidate(descent(sample, 2), steps=2), "one": Candidate(descent(sample, 2), steps=1)}
    found = {result.learner: result for result in evaluate(CONFIG, SUITE[:1], candidates)}
    two, one = found["two"], found["one"]
    assert isinstance(two, Score)
    assert isinstance(one, Score)
    assert two.relative_prediction_difference.mean < 0.2 < one.relative_prediction_difference.mean


@pytest.mark.slow
def test_a_model_that_averages_over_steps_is_compared_with_ridge() -> None:
    sample = SUITE[0][1].sample(np.random.default_rng(0), 300, 7, 3)
    (found, *_) = evaluate(CONFIG, SUITE[:1], {"flow": Candidate(best_ridge(sample), steps=0)})
    assert isinstance(found, Score)
    assert found.relative_prediction_difference.mean < 0.01
    assert found.sensitivity_cosine.mean > 0.999


@dataclass(frozen=True)
class Wide(Mean):
    """Everything lies within its intervals."""

    def intervals(self, x: Array, y: Array, x_query: Array, levels: Sequence[float]) -> Array:
        return np.full((len(levels), 2, len(x), x_query.shape[1], y.shape[2]), [[[[[-1e9]]], [[[1e9]]]]])


@pytest.mark.slow
def test_intervals_are_measured_where_there_are_some(measured: dict[tuple[str, str], Score | Skipped]) -> None:
    (found, *_) = evaluate(CONFIG, SUITE[:1], {"wide": Candidate(Mean(), interval_learner=Wide())})
    assert isinstance(found, Score)
    assert found.calibration is not None
    assert found.calibration.coverage_90 == Interval(1.0, 1.0, 1.0)
    assert {result.calibration for result in measured.values() if isinstance(result, Score)} == {None}


def test_the_last_point_of_the_learning_curve_is_the_loss(
    measured: dict[tuple[str, str], Score | Skipped],
) -> None:
    for result in nonempty(measured.values()):
        if isinstance(result, Score):
            assert [point.observations for point in result.curve] == [2, 7]
            assert result.curve[-1].loss == result.loss


def test_descent_has_rate_zero_where_no_rate_helps() -> None:
    drawn = Linear(inputs=5).sample(np.random.default_rng(5), 50, 10, 4)
    misleading = replace(drawn, y_query=-drawn.y_query)
    assert not descent(misleading, 1).predict(drawn.x, drawn.y, drawn.x_query).any()


def test_an_empty_configuration_is_refused() -> None:
    for wrong in ({"tasks": 1}, {"queries": 0}, {"observations": 0}, {"curve": (5, 0)}):
        with pytest.raises(ValueError, match="must be positive"):
            EvaluationConfig(**wrong)
