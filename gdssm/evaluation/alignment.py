"""Agreement of a learner with a reference learner on the same tasks."""

from dataclasses import dataclass

from gdssm.arrays import Array
from gdssm.evaluation import metrics
from gdssm.evaluation.learners import Learner
from gdssm.evaluation.metrics import half_mean_squared_error
from gdssm.evaluation.tasks.task import Batch


@dataclass(frozen=True)
class Alignment:
    """A learner compared with a reference; see `metrics`."""

    loss: float
    """½ · mean squared error of the learner."""
    reference_loss: float
    """½ · mean squared error of the reference."""
    relative_prediction_difference: float
    """‖a − b‖ / ‖b‖ over all predictions."""
    mean_prediction_difference: float
    """The mean distance of two predictions, in units of y."""
    sensitivity_difference: float
    """The mean distance of two sensitivities, in units of y per unit of x."""
    sensitivity_cosine: float
    """The mean cosine of two sensitivities; independent of scale, which the differences above are not."""


@dataclass(frozen=True, eq=False)
class LearnerOutput:
    """The predictions of a learner and their derivatives."""

    prediction: Array
    """(B, M, K)."""
    sensitivity: Array
    """∂ŷ_k/∂x_d (B, M, K, D), from central differences or from automatic differentiation."""


def output_of(learner: Learner, batch: Batch, step: float = 1e-4) -> LearnerOutput:
    """Return the predictions of a learner and, by central differences, their sensitivities.

    Args:
        learner: The learner.
        batch: The tasks.
        step: See `metrics.sensitivity`.
    """
    context = (batch.x, batch.y, batch.x_query)
    return LearnerOutput(learner.predict(*context), metrics.sensitivity(learner.predict, *context, step))


def align(ours: LearnerOutput, reference: LearnerOutput, y_query: Array) -> Alignment:
    """Compare a learner with a reference, given the right answers (B, M, K).

    Raises:
        ValueError: Shapes differ, there is nothing to compare, or the reference predicts zero everywhere.
    """
    predictions = (ours.prediction, reference.prediction)
    sensitivities = (ours.sensitivity, reference.sensitivity)
    return Alignment(
        loss=half_mean_squared_error(ours.prediction, y_query),
        reference_loss=half_mean_squared_error(reference.prediction, y_query),
        relative_prediction_difference=metrics.relative_prediction_difference(*predictions),
        mean_prediction_difference=metrics.mean_prediction_difference(*predictions),
        sensitivity_difference=metrics.sensitivity_difference(*sensitivities),
        sensitivity_cosine=metrics.sensitivity_cosine(*sensitivities),
    )
