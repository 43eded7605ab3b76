"""The inputs of an experiment: sizes, trained stacks, tasks, and references tuned on other tasks."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np

from gdssm.evaluation.learners import FixedRateDescent, Learner, Zero
from gdssm.evaluation.learning_rates import best_learning_rate, best_learning_rates
from gdssm.evaluation.tasks.task import Batch, Task
from gdssm.reproduce.plot_style import ZERO, descent, trained
from gdssm.reproduce.report_sizes import ReportSizes
from gdssm.reproduce.runs import Trained
from gdssm.reproduce.torch_learners import TorchLearner, stack_learner
from gdssm.train.evaluate import EVALUATION_SEED
from gdssm.train.presets import LINEAR

EVALUATION, TUNING = 0, 1
"""Independent streams of tasks, those of `train.evaluate`; training has others."""
STRETCH = 1.1
"""Of the inputs, and with them of y, in the second half of a sample for robust rates."""
DEPTHS = {1: LINEAR.name, 2: "linear-2step-trained", 5: "linear-5step-trained", 10: "linear-10step-trained"}
"""The presets for scalar linear tasks, by their number of layers."""


@dataclass(frozen=True)
class ExperimentContext:
    """Sizes and trained runs of one report."""

    sizes: ReportSizes
    runs: Mapping[str, Trained]

    def batch(self, task: Task, observations: int = LINEAR.observations) -> Batch:
        """Draw the evaluation tasks of a distribution, one query each."""
        return draw_tasks(task, self.sizes.tasks, observations, EVALUATION)

    def sample(self, task: Task, observations: int = LINEAR.observations) -> Batch:
        """Draw the tasks on which a reference is tuned."""
        return draw_tasks(task, self.sizes.rate_tasks, observations, TUNING)

    def descent(
        self,
        task: Task,
        steps: int,
        *,
        shared: bool = False,
        robust: bool = False,
        observations: int = LINEAR.observations,
    ) -> FixedRateDescent:
        """Make gradient descent with the best rates for a distribution, one for all steps or one for each.

        Args:
            task: The distribution.
            steps: K.
            shared: Whether all steps have one rate.
            robust: Whether the rates are the best on the tasks and on the same linear tasks with inputs stretched by
                `STRETCH` together. The best ones for a sample alone diverge on the first context of larger curvature.
            observations: N.
        """
        sample = cast("Hashable", task), self.sizes.rate_tasks, observations
        return _descent(sample, steps, shared=shared, robust=robust)

    def stack(self, layers: int) -> TorchLearner:
        """Return the stack with this number of layers, trained on scalar linear tasks."""
        return stack_learner(self.runs[DEPTHS[layers]].stack)

    def as_trained(self) -> dict[str, Learner]:
        """Return every such stack, and descent with the rates that are best on scalar linear tasks."""
        learners: dict[str, Learner] = {ZERO: Zero()}
        for layers in DEPTHS:
            learners[descent(layers)] = self.descent(LINEAR.task, layers)
            learners[trained(layers)] = self.stack(layers)
        return learners


@lru_cache(maxsize=256)
def _descent(sample: tuple[Hashable, int, int], steps: int, *, shared: bool, robust: bool) -> FixedRateDescent:
    task, tasks, observations = sample
    batch = draw_tasks(cast("Task", task), tasks, observations, TUNING)
    if robust:
        arrays = (batch.x, batch.y, batch.x_query, batch.y_query)
        batch = Batch(*(np.concatenate([array, STRETCH * array]) for array in arrays))
    rates = best_learning_rate(batch, steps) if shared else best_learning_rates(batch, steps)
    return FixedRateDescent(rates, steps)


def draw_tasks(task: Task, tasks: int, observations: int, stream: int) -> Batch:
    """Draw tasks of a distribution, one query each, for the evaluation or for tuning."""
    return task.sample(np.random.default_rng([EVALUATION_SEED, stream]), tasks, observations, 1)
