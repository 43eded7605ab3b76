from dataclasses import replace

import numpy as np
import pytest

from gdssm.evaluation.alignment import align, output_of
from gdssm.evaluation.learners import FixedRateDescent, LeastSquares, Zero
from gdssm.evaluation.metrics import half_mean_squared_error
from gdssm.evaluation.tasks.task import Batch


def test_a_learner_is_aligned_with_itself(batch: Batch) -> None:
    ours = output_of(FixedRateDescent(0.5), batch)
    alignment = align(ours, ours, batch.y_query)
    assert alignment.loss == alignment.reference_loss == half_mean_squared_error(ours.prediction, batch.y_query)
    assert alignment.relative_prediction_difference == alignment.mean_prediction_difference == 0
    assert alignment.sensitivity_difference == 0
    assert alignment.sensitivity_cosine == pytest.approx(1)


def test_a_wrong_scale_shows_in_the_differences_and_not_in_the_cosine(batch: Batch) -> None:
    reference = output_of(FixedRateDescent(0.5), batch)
    alignment = align(output_of(FixedRateDescent(1.0), batch), reference, batch.y_query)
    assert alignment.sensitivity_cosine == pytest.approx(1)
    assert alignment.relative_prediction_difference == pytest.approx(1)
    lengths = np.linalg.norm(reference.sensitivity, axis=(2, 3))
    assert alignment.sensitivity_difference == pytest.approx(lengths.mean())
    distances = np.linalg.norm(reference.prediction, axis=2)
    assert alignment.mean_prediction_difference == pytest.approx(distances.mean())


def test_another_learner_shows_in_the_cosine(batch: Batch) -> None:
    ours, reference = output_of(LeastSquares(), batch), output_of(FixedRateDescent(0.5), batch)
    alignment = align(ours, reference, batch.y_query)
    assert 0 < alignment.sensitivity_cosine < 0.999
    assert alignment.loss != alignment.reference_loss


def test_sensitivity_has_an_axis_for_each_of_outputs_and_inputs(batch: Batch) -> None:
    assert output_of(LeastSquares(), batch).sensitivity.shape == (2, 11, 3, 5)


def test_nothing_is_relative_to_a_reference_of_zero(batch: Batch) -> None:
    with pytest.raises(ValueError, match=r"^reference is zero everywhere"):
        align(output_of(LeastSquares(), batch), output_of(Zero(), batch), batch.y_query)


def test_answers_to_other_queries_are_refused(batch: Batch) -> None:
    fewer = replace(batch, x_query=batch.x_query[:, :3], y_query=batch.y_query[:, :3], noisy_y_query=None)
    with pytest.raises(ValueError, match=r"^reference has shape \(2, 3, 3\)|^y_query has shape \(2, 11, 3\)"):
        align(output_of(LeastSquares(), batch), output_of(LeastSquares(), fewer), batch.y_query)
