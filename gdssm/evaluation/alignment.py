"""How much one learner is another: the numbers that only mean something together."""

from dataclasses import dataclass

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.learners.learner import Learner
from gdssm.evaluation.metrics.loss import half_mean_squared_error
from gdssm.evaluation.metrics.prediction_difference import mean_prediction_difference, relative_prediction_difference
from gdssm.evaluation.metrics.sensitivity import sensitivity
from gdssm.evaluation.metrics.sensitivity_cosine import sensitivity_cosine
from gdssm.evaluation.metrics.sensitivity_difference import sensitivity_difference
from gdssm.evaluation.tasks.batch import Batch


@dataclass(frozen=True)
class Alignment:
    """A learner beside a reference, on the same tasks."""

    loss: float
    """The learner's ½ · mean squared error."""
    reference_loss: float
    """The reference's."""
    relative_prediction_difference: float
    """‖a − b‖ / ‖b‖ over all predictions."""
    mean_prediction_difference: float
    """The mean distance of two predictions, in units of y."""
    sensitivity_difference: float
    """The mean distance of two sensitivities, in units of y per unit of x."""
    sensitivity_cosine: float
    """The mean cosine of two sensitivities; blind to scale, which the differences above are not."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a learner said to a batch, and how that changes with the queries."""

    prediction: Array
    """(B, M, K)."""
    sensitivity: Array
    """∂ŷ_k/∂x_d (B, M, K, D), from differences or from automatic differentiation."""


def answer(learner: Learner, batch: Batch, step: float = 1e-4) -> Answer:
    """Ask a learner for its predictions and, by central differences, for its sensitivities.

    Args:
        learner: who is asked.
        batch: the tasks.
        step: how far to move a query, as `sensitivity` says.

    Returns:
        The learner's answer.

    Raises:
        ValueError: as the learner.
    """
    context = (batch.x, batch.y, batch.x_query)
    return Answer(learner.predict(*context), sensitivity(learner.predict, *context, step))


def align(ours: Answer, reference: Answer, y_query: Array) -> Alignment:
    """Compare an answer with a reference's.

    Args:
        ours: of the learner in question, a trained model say.
        reference: of what it is held against, gradient descent say.
        y_query: the right answers (B, M, K).

    Returns:
        The comparison.

    Raises:
        ValueError: if shapes differ, there is nothing to compare, or the reference predicts zero everywhere.
    """
    predictions = (ours.prediction, reference.prediction)
    sensitivities = (ours.sensitivity, reference.sensitivity)
    return Alignment(
        loss=half_mean_squared_error(ours.prediction, y_query),
        reference_loss=half_mean_squared_error(reference.prediction, y_query),
        relative_prediction_difference=relative_prediction_difference(*predictions),
        mean_prediction_difference=mean_prediction_difference(*predictions),
        sensitivity_difference=sensitivity_difference(*sensitivities),
        sensitivity_cosine=sensitivity_cosine(*sensitivities),
    )
