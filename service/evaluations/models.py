"""A model as a learner: a function from tensors to tensors, in this process or on a service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gdssm.arrays import Array
from gdssm.evaluation.evaluate import Candidate
from service.errors import InvalidInput
from service.inference.artifact import Dtype, Manifest
from service.inference.distribution import interval_of
from service.inference.sizes import Array as Tensor
from service.inference.tensor_inference import Infer

TASKS_PER_RUN = 100
"""The same everywhere, so that results are equal to the bit."""


@dataclass(frozen=True, eq=False)
class ModelLearner:
    """A model that learns from the context of each task."""

    infer: Infer
    dtype: Dtype

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """Answer the queries, as `Learner.predict` says.

        Raises:
            ValueError: the tasks do not fit the model.
        """
        parts = range(0, len(x), TASKS_PER_RUN)
        return np.concatenate([self._run(x, y, x_query, part)["prediction"].astype(np.float64) for part in parts])

    def intervals(self, x: Array, y: Array, x_query: Array, levels: Sequence[float]) -> Array:
        """Bound the observations at the queries, as `IntervalLearner.intervals` says, for a model that gives a scale.

        Raises:
            ValueError: as `predict`.
        """
        found = [self._bounds(self._run(x, y, x_query, part), levels) for part in range(0, len(x), TASKS_PER_RUN)]
        return np.concatenate(found, axis=2)

    def _run(self, x: Array, y: Array, x_query: Array, start: int) -> Mapping[str, Tensor]:
        tensors = {"x": x, "y": y, "x_query": x_query}
        part = slice(start, start + TASKS_PER_RUN)
        try:
            return self.infer({name: tensor[part].astype(self.dtype) for name, tensor in tensors.items()})
        except InvalidInput as error:
            raise ValueError(str(error)) from error

    @staticmethod
    def _bounds(outputs: Mapping[str, Tensor], levels: Sequence[float]) -> Array:
        found = [interval_of(outputs, level) for level in levels]
        return np.array([(bounds["lower"], bounds["upper"]) for bounds in found], np.float64)


def candidate(infer: Infer, manifest: Manifest) -> Candidate:
    """Make the candidate of a model; the step of its sensitivities depends on its precision."""
    learner = ModelLearner(infer, manifest.dtype)
    step = 1e-4 if manifest.dtype == "float64" else 1e-2
    return Candidate(learner, manifest.gradient_steps, step, learner if manifest.gives_scale else None)
