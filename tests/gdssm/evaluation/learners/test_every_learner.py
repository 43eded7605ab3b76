"""What every learner promises, whatever it learns."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from gdssm.evaluation.learners import (
    ConjugateGradient,
    FixedRateDescent,
    Learner,
    LeastSquares,
    Mean,
    NewtonSchulz,
    OnFeatures,
    RidgeRegression,
    Zero,
)
from gdssm.evaluation.tasks.task import Batch

LEARNERS: tuple[Learner, ...] = (
    FixedRateDescent((0.3, 0.7, 0.2), steps=3),
    ConjugateGradient(steps=3),
    NewtonSchulz(steps=3),
    LeastSquares(),
    RidgeRegression(0.5),
    Mean(),
    Zero(),
    OnFeatures(RidgeRegression(0.5), np.sin),
)

each_learner = pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: type(learner).__name__)


@each_learner
def test_axes_are_tasks_queries_outputs(learner: Learner, batch: Batch) -> None:
    assert learner.predict(batch.x, batch.y, batch.x_query).shape == (2, 11, 3)
    assert learner.predict(batch.x, batch.y, batch.x_query[:, :0]).shape == (2, 0, 3)


@each_learner
def test_tasks_are_independent(learner: Learner, batch: Batch) -> None:
    together = learner.predict(batch.x, batch.y, batch.x_query)
    alone = learner.predict(batch.x[1:], batch.y[1:], batch.x_query[1:])
    np.testing.assert_allclose(together[1:], alone, rtol=1e-10, atol=1e-12)


@each_learner
def test_queries_are_independent(learner: Learner, batch: Batch) -> None:
    together = learner.predict(batch.x, batch.y, batch.x_query)
    alone = learner.predict(batch.x, batch.y, batch.x_query[:, 4:5])
    np.testing.assert_allclose(together[:, 4:5], alone, rtol=1e-10, atol=1e-12)


@pytest.mark.slow
@each_learner
def test_outputs_are_independent(learner: Learner, batch: Batch) -> None:
    together = learner.predict(batch.x, batch.y, batch.x_query)
    alone = learner.predict(batch.x, batch.y[..., 1:2], batch.x_query)
    np.testing.assert_allclose(together[..., 1:2], alone, rtol=1e-8, atol=1e-10)


@each_learner
def test_the_order_of_observations_does_not_matter(learner: Learner, batch: Batch) -> None:
    there = learner.predict(batch.x, batch.y, batch.x_query)
    back = learner.predict(batch.x[:, ::-1], batch.y[:, ::-1], batch.x_query)
    np.testing.assert_allclose(there, back, rtol=1e-8, atol=1e-10)


@each_learner
def test_twice_the_outputs_are_twice_the_predictions(learner: Learner, batch: Batch) -> None:
    once = learner.predict(batch.x, batch.y, batch.x_query)
    np.testing.assert_allclose(learner.predict(batch.x, 2 * batch.y, batch.x_query), 2 * once, rtol=1e-10)


@each_learner
def test_one_observation_is_enough_to_answer(learner: Learner, batch: Batch) -> None:
    assert np.isfinite(learner.predict(batch.x[:, :1], batch.y[:, :1], batch.x_query)).all()


@each_learner
def test_without_observations_the_answer_is_zero(learner: Learner, batch: Batch) -> None:
    nothing = learner.predict(batch.x[:, :0], batch.y[:, :0], batch.x_query)
    np.testing.assert_array_equal(nothing, np.zeros((2, 11, 3)))


@each_learner
def test_inputs_of_zero_give_a_finite_answer(learner: Learner, batch: Batch) -> None:
    assert np.isfinite(learner.predict(0 * batch.x, batch.y, batch.x_query)).all()


@each_learner
def test_arguments_are_not_modified(learner: Learner, batch: Batch) -> None:
    x, y, x_query = batch.x.copy(), batch.y.copy(), batch.x_query.copy()
    learner.predict(x, y, x_query)
    for after, before in ((x, batch.x), (y, batch.y), (x_query, batch.x_query)):
        np.testing.assert_array_equal(after, before)


@each_learner
def test_shapes_that_do_not_fit_are_refused_by_name(learner: Learner, batch: Batch) -> None:
    with pytest.raises(ValueError, match=r"^y has \(B, N\) = \(2, 6\)"):
        learner.predict(batch.x, batch.y[:, :6], batch.x_query)
    with pytest.raises(ValueError, match=r"^x_query has 4 inputs but x has 5"):
        learner.predict(batch.x, batch.y, batch.x_query[..., :4])
    with pytest.raises(ValueError, match=r"^x has shape \(7, 5\)"):
        learner.predict(batch.x[0], batch.y, batch.x_query)


@each_learner
def test_learners_are_frozen(learner: Learner) -> None:
    with pytest.raises(FrozenInstanceError):
        learner.steps = 2  # type: ignore[attr-defined]
