"""A model as a learner: in this process, or behind any function from tensors to tensors."""

from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.examination import Contestant
from service.artifact import Dtype
from service.errors import InvalidInput
from service.inference import Infer

PART = 100
"""Tasks that are answered at a time, wherever the model runs: the same parts give the same numbers to the bit."""


@dataclass(frozen=True, eq=False)
class ModelLearner:
    """A model that learns anew from the context of every task."""

    infer: Infer
    dtype: Dtype

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """Answer the queries, as `Learner.predict` says.

        Raises:
            ValueError: the tasks do not fit the model; with its own words.
        """
        parts = [slice(start, start + PART) for start in range(0, len(x), PART)]
        return np.concatenate([self._part(x[part], y[part], x_query[part]) for part in parts])

    def _part(self, x: Array, y: Array, x_query: Array) -> Array:
        tensors = {"x": x, "y": y, "x_query": x_query}
        try:
            outputs = self.infer({name: tensor.astype(self.dtype) for name, tensor in tensors.items()})
        except InvalidInput as error:
            raise ValueError(str(error)) from error
        return outputs["prediction"].astype(np.float64)


STEPS_OF_AN_AVERAGE = 8
"""As many as the model that came before it took."""


def contestant(infer: Infer, dtype: Dtype, gradient_steps: int) -> Contestant:
    """Enter a model: its sensitivities are taken with a step that its precision allows.

    One that averages over all numbers of steps is compared with descent of `STEPS_OF_AN_AVERAGE`.
    """
    steps = gradient_steps or STEPS_OF_AN_AVERAGE
    return Contestant(ModelLearner(infer, dtype), steps, 1e-4 if dtype == "float64" else 1e-2)
