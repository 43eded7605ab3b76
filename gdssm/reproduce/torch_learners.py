"""Torch models with the interface of a reference learner: arrays in, arrays out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from gdssm.arrays import Array
from gdssm.layer import GDSSMLayer
from gdssm.model import LINE_SEARCH, GradientDescent, StandardizedDescent
from gdssm.stack import GDSSM
from gdssm.streaming import StreamingStack
from gdssm.tokens import interleave
from gdssm.window import slide

State = TypeVar("State")

TASKS_PER_CALL = 250
"""A state for every window of all tasks at once would need too much memory."""


@dataclass(frozen=True, eq=False)
class TorchLearner:
    """A learner made of a function of the tensors x, y and x_query."""

    answer: Callable[[Tensor, Tensor, Tensor], Tensor]
    dtype: torch.dtype = torch.float64

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """See `Learner.predict`."""
        parts = [slice(start, start + TASKS_PER_CALL) for start in range(0, len(x), TASKS_PER_CALL)]
        with torch.no_grad():
            return np.concatenate([self._predict(x[part], y[part], x_query[part]) for part in parts])

    def _predict(self, *arrays: Array) -> Array:
        x, y, x_query = (torch.from_numpy(array).to(self.dtype) for array in arrays)
        predicted: Array = self.answer(x, y, x_query).numpy().astype(np.float64)
        return predicted


class _StreamingModel(Protocol[State]):
    def empty_state(self, batch: int, inputs: int, outputs: int) -> State: ...
    def observe(self, state: State, x: Tensor, y: Tensor, weight: Tensor) -> State: ...
    @property
    def predict(self) -> Callable[..., Tensor]: ...


def _streamed(model: _StreamingModel[State], *parameters: Tensor) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    def answer(x: Tensor, y: Tensor, x_query: Tensor) -> Tensor:
        empty = model.empty_state(len(x), x.shape[2], y.shape[2])
        return model.predict(model.observe(empty, x, y, x.new_ones(x.shape[:2])), x_query, *parameters)

    return answer


def stack_learner(stack: GDSSM) -> TorchLearner:
    """A trained stack, streamed as in the service: any number of observations and queries."""
    return TorchLearner(_streamed(StreamingStack(stack)), stack.decay_logit.dtype)


def line_search_learner(steps: int) -> TorchLearner:
    """Constructed gradient steps with exact line search."""
    return TorchLearner(_streamed(GradientDescent([LINE_SEARCH] * steps), torch.tensor(LINE_SEARCH)))


def standardized_learner(steps: int) -> TorchLearner:
    """Constructed gradient steps on standardised data with an intercept."""
    return TorchLearner(_streamed(StandardizedDescent(steps)))


def layer_learner(layer: GDSSMLayer) -> TorchLearner:
    """A layer that scans the whole sequence; M = 1."""
    return TorchLearner(last_output(layer), layer.decay.dtype)


def last_output(layer: GDSSMLayer) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return the prediction of a layer after the last window of a sequence, (B, 1, K)."""

    def answer(x: Tensor, y: Tensor, x_query: Tensor) -> Tensor:
        windows = slide(interleave(x, y, x_query))
        output, _ = layer.scan(windows, windows.new_ones(windows.shape[:2]), layer.empty_state(len(x)))
        return output[:, -1:, x.shape[2] :]

    return answer


def sequence_learner(model: nn.Module) -> TorchLearner:
    """A model that reads a context and one query as a sequence; M = 1."""
    return TorchLearner(model, next(model.parameters()).dtype)
