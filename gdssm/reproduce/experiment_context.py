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
from gdssm.train.presets import LINEAR

EVALUATION, TUNING = 0, 1
"""Independent streams of tasks; training has others."""
SEED = 2410_11687
DEPTHS = {1: LINEAR.name, 2: "linear-2step-trained", 5: "linear-5step-trained", 10: "linear-10step-trained"}
"""The presets for scalar linear tasks, by their number of layers."""


@dataclass(frozen=True)
class ExperimentContext:
    """Sizes and trained runs of one report."""

    sizes: ReportSizes
    runs: Mapping[str, Trained]

    def batch(self, task: Task, observations: int = LINEAR.observations) -> Batch:
        """Draw the evaluation tasks of a distribution, one query each."""
        return _draw(task, self.sizes.tasks, observations, EVALUATION)

    def sample(self, task: Task, observations: int = LINEAR.observations) -> Batch:
        """Draw the tasks on which a reference is tuned."""
        return _draw(task, self.sizes.rate_tasks, observations, TUNING)

    def descent(
        self, task: Task, steps: int, *, shared: bool = False, observations: int = LINEAR.observations
    ) -> FixedRateDescent:
        """Make gradient descent with the best rates for a distribution, one for all steps or one for each."""
        return _descent(cast("Hashable", task), steps, shared, observations, self.sizes.rate_tasks)

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
def _descent(task: Hashable, steps: int, shared: bool, observations: int, tasks: int) -> FixedRateDescent:
    batch = _draw(cast("Task", task), tasks, observations, TUNING)
    rates = best_learning_rate(batch, steps) if shared else best_learning_rates(batch, steps)
    return FixedRateDescent(rates, steps)


def _draw(task: Task, tasks: int, observations: int, stream: int) -> Batch:
    return task.sample(np.random.default_rng([SEED, stream]), tasks, observations, 1)
