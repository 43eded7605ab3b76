"""What an experiment works with: sizes, trained stacks, tasks, and references tuned on other tasks."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np

from gdssm.evaluation.learners import FixedRateDescent, Learner, Zero
from gdssm.evaluation.learning_rates import best_learning_rate, best_learning_rates
from gdssm.evaluation.tasks.task import Batch, Task
from gdssm.reproduce.answering import StackLearner
from gdssm.reproduce.names import ZERO, descent, trained
from gdssm.reproduce.runs import Trained
from gdssm.reproduce.settings import Settings
from gdssm.train.presets import LINEAR

EVALUATION, TUNING = 0, 1
"""Streams of tasks that never meet; training has its own."""
SEED = 2410_11687
DEPTHS = {1: LINEAR.name, 2: "linear-2step-trained", 5: "linear-5step-trained", 10: "linear-10step-trained"}
"""The presets for scalar linear tasks, by their number of layers."""


@dataclass(frozen=True)
class ExperimentContext:
    """The means of one report."""

    settings: Settings
    runs: Mapping[str, Trained]

    def batch(self, task: Task, observations: int = LINEAR.observations) -> Batch:
        """Draw the evaluation tasks of a distribution, one query each."""
        return _draw(task, self.settings.tasks, observations, EVALUATION)

    def sample(self, task: Task, observations: int = LINEAR.observations) -> Batch:
        """Draw the tasks on which a reference is tuned."""
        return _draw(task, self.settings.rate_tasks, observations, TUNING)

    def descent(
        self, task: Task, steps: int, *, shared: bool = False, observations: int = LINEAR.observations
    ) -> FixedRateDescent:
        """Make gradient descent with the best rates for a distribution, one for all steps or one for each."""
        return _descent(cast("Hashable", task), steps, shared, observations, self.settings.rate_tasks)

    def stack(self, layers: int) -> StackLearner:
        """Find the stack trained on scalar linear tasks with so many layers."""
        return StackLearner(self.runs[DEPTHS[layers]].stack)

    def as_trained(self) -> dict[str, Learner]:
        """Name what scalar linear tasks have fixed: every such stack, and descent with the rates best there."""
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
