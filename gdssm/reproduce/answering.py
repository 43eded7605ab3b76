"""Torch models with the call of a reference learner: arrays in, arrays out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from gdssm.arrays import Array
from gdssm.evaluation.metrics import Predict
from gdssm.layer import GDSSMLayer
from gdssm.model import LINE_SEARCH, GradientDescent, StandardizedDescent
from gdssm.stack import GDSSM
from gdssm.streaming import StreamingStack
from gdssm.tokens import interleave
from gdssm.window import slide

State = TypeVar("State")

PART = 250
"""Tasks that are answered at a time."""


@dataclass(frozen=True, eq=False)
class StackLearner:
    """A trained stack, streamed as it is served: any number of observations and queries."""

    stack: GDSSM

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """Answer the queries, as `Learner.predict` says."""
        return in_parts(self._predict, x, y, x_query)

    def _predict(self, x: Array, y: Array, x_query: Array) -> Array:
        return _stream(StreamingStack(self.stack), *tensors(self.stack, x, y, x_query))


@dataclass(frozen=True, eq=False)
class LineSearch:
    """Constructed gradient steps, each of the best length for the context itself."""

    steps: int

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """Answer the queries, as `Learner.predict` says."""
        context = map(torch.from_numpy, (x, y, x_query))
        return _stream(GradientDescent([LINE_SEARCH] * self.steps), *context, torch.tensor(LINE_SEARCH))


@dataclass(frozen=True, eq=False)
class Standardised:
    """Constructed gradient steps on standardised data with an intercept."""

    steps: int

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """Answer the queries, as `Learner.predict` says."""
        return _stream(StandardizedDescent(self.steps), *map(torch.from_numpy, (x, y, x_query)))


@dataclass(frozen=True, eq=False)
class LayerLearner:
    """A layer that scans the whole sequence; M = 1."""

    layer: GDSSMLayer

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """Answer the query, as `Learner.predict` says."""
        return in_parts(self._predict, x, y, x_query)

    def _predict(self, x: Array, y: Array, x_query: Array) -> Array:
        with torch.no_grad():
            windows = slide(interleave(*tensors(self.layer, x, y, x_query)))
            output, _ = self.layer.scan(windows, windows.new_ones(windows.shape[:2]), self.layer.empty_state(len(x)))
        return array(output[:, -1:, x.shape[2] :])


@dataclass(frozen=True, eq=False)
class SequenceLearner:
    """Any model that reads a context and one query as a sequence."""

    model: nn.Module

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """Answer the queries, M = 1, as `Learner.predict` says."""
        return in_parts(self._predict, x, y, x_query)

    def _predict(self, x: Array, y: Array, x_query: Array) -> Array:
        with torch.no_grad():
            return array(self.model(*tensors(self.model, x, y, x_query)))


class _Streams(Protocol[State]):
    def empty_state(self, batch: int, inputs: int, outputs: int) -> State: ...
    def observe(self, state: State, x: Tensor, y: Tensor, weight: Tensor) -> State: ...
    @property
    def predict(self) -> Callable[..., Tensor]: ...


def _stream(model: _Streams[State], x: Tensor, y: Tensor, x_query: Tensor, *own: Tensor) -> Array:
    """Let a model observe a context and answer the queries; `own` is what its `predict` takes besides."""
    empty = model.empty_state(len(x), x.shape[2], y.shape[2])
    with torch.no_grad():
        return array(model.predict(model.observe(empty, x, y, x.new_ones(x.shape[:2])), x_query, *own))


def in_parts(predict: Predict, x: Array, y: Array, x_query: Array) -> Array:
    """Answer some tasks at a time: a state for every window of all tasks at once would fill the memory."""
    parts = [slice(start, start + PART) for start in range(0, len(x), PART)]
    return np.concatenate([predict(x[part], y[part], x_query[part]) for part in parts])


def tensors(model: nn.Module, *arrays: Array) -> tuple[Tensor, ...]:
    """Convert arrays to a model's own precision."""
    like = next(model.parameters())
    return tuple(torch.from_numpy(values).to(like) for values in arrays)


def array(tensor: Tensor) -> Array:
    """Convert a tensor to double precision."""
    converted: Array = tensor.numpy().astype(np.float64)
    return converted
