"""A trained stack compared with gradient descent on the same tasks.

Losses are ½·mean squared error, averaged over outputs. The reference is gradient descent from W₀ = 0 with as many steps
as the stack has layers and the best rate for each, found on other tasks. Where the stack regresses on learned features
there is no such reference, and only the loss is measured.
"""

from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import torch

from gdssm.arrays import Array
from gdssm.evaluation.alignment import LearnerOutput, align
from gdssm.evaluation.learners import FixedRateDescent
from gdssm.evaluation.learning_rates import best_learning_rates
from gdssm.evaluation.metrics import half_mean_squared_error, task_losses
from gdssm.evaluation.tasks.task import Batch
from gdssm.parameter_alignment import parameter_alignment, stack_rates
from gdssm.stack import GDSSM
from gdssm.train.config import TrainConfig

EVALUATION_SEED = 20_241_011_687
"""Of the evaluation tasks: the same for every run, and in no training."""
PROGRESS_TASKS = 500
"""Tasks of the evaluations during a run; the final one has 20,000."""


@dataclass(frozen=True)
class Reference:
    """Evaluation tasks with the predictions of gradient descent."""

    batch: Batch
    descent: LearnerOutput | None
    """None for a stack with a feature map."""
    rates: tuple[float, ...] = ()

    @classmethod
    def of(cls, config: TrainConfig, tasks: int = PROGRESS_TASKS, seed: int = EVALUATION_SEED) -> Self:
        """Draw the tasks of a configuration, and predict by gradient descent."""
        rng, other = (np.random.default_rng([seed, part]) for part in (0, 1))
        batch = config.task.sample(rng, tasks, config.observations, 1)
        if config.model.feature_widths or config.model.head_width:
            return cls(batch, None)
        rates = best_learning_rates(config.task.sample(other, 20_000, config.observations, 1), config.model.layers)
        weights = FixedRateDescent(rates, steps=len(rates)).weights(batch.x, batch.y)
        return cls(batch, LearnerOutput(batch.x_query @ weights, weights.transpose(0, 2, 1)[:, None]), rates)

    def measure(self, stack: GDSSM) -> dict[str, float]:
        """Measure a stack on the tasks: its loss and its alignment with gradient descent."""
        if self.descent is None:
            return {"loss": half_mean_squared_error(predict(stack, self.batch), self.batch.y_query)}
        found = align(answer(stack, self.batch), self.descent, self.batch.y_query)
        return asdict(found)


def evaluate(stack: GDSSM, config: TrainConfig, tasks: int = 20_000) -> dict[str, float]:
    """Measure a finished run on many tasks, with its parameters compared with those of descent."""
    reference = Reference.of(config, tasks)
    metrics = reference.measure(stack)
    if reference.descent is not None:
        metrics["loss_ratio"] = metrics["loss"] / metrics["reference_loss"]
        metrics["excess_in_standard_errors"] = _excess(stack, reference.batch, reference.descent)
        if config.model.layers == 1:
            metrics |= asdict(parameter_alignment(stack))
        else:
            metrics["least_rate"] = float(stack_rates(stack).real.min())
    return metrics


def _excess(stack: GDSSM, batch: Batch, descent: LearnerOutput) -> float:
    """The mean excess loss over gradient descent, in standard errors of the difference."""
    ours, theirs = (
        task_losses(prediction, batch.y_query) for prediction in (predict(stack, batch), descent.prediction)
    )
    difference = ours - theirs
    return float(difference.mean() / (difference.std() / len(difference) ** 0.5))


def predict(stack: GDSSM, batch: Batch) -> Array:
    """Predict (B, 1, K) for the one query of every task."""
    with torch.no_grad():
        prediction: torch.Tensor = stack(*_tensors(stack, batch))
    return _array(prediction)


def answer(stack: GDSSM, batch: Batch) -> LearnerOutput:
    """The stack's predictions (B, 1, K) and their derivatives (B, 1, K, D), by automatic differentiation."""
    x, y, x_query = _tensors(stack, batch)
    x_query.requires_grad_()
    prediction = stack(x, y, x_query)
    gradients = [
        torch.autograd.grad(prediction[..., k].sum(), x_query, retain_graph=True)[0]
        for k in range(prediction.shape[-1])
    ]
    sensitivity = torch.stack(gradients, dim=2)
    return LearnerOutput(_array(prediction.detach()), _array(sensitivity))


def _array(tensor: torch.Tensor) -> Array:
    array: Array = tensor.cpu().numpy().astype(np.float64)
    return array


def _tensors(stack: GDSSM, batch: Batch) -> tuple[torch.Tensor, ...]:
    like = stack.decay_logit
    return tuple(torch.from_numpy(array).to(like) for array in (batch.x, batch.y, batch.x_query))
