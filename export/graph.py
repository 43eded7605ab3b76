"""A model as a graph: state in, state out, every axis named.

Wrappers, never a second copy: what they call is the `gdssm` model itself.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from torch import Tensor, nn

from gdssm.notation import Inputs, Outputs, Predictions, Weight
from service.artifact import Axis, Dtype, ParameterSpec, TensorSpec, next_name

State = tuple[Tensor, ...]


class Model(Protocol):
    """What a model needs to stream: two pure functions and an empty state (a NamedTuple of tensors)."""

    def empty_state(self, batch: int, inputs: int, outputs: int) -> State:
        """Make the state of `batch` contexts without an observation."""

    def observe(self, state: Any, x: Inputs, y: Outputs, weight: Weight) -> State:  # noqa: ANN401  (each has its own)
        """Add N observations."""

    @property
    def predict(self) -> Callable[..., Predictions]:
        """From the state, x_query (B, M, D) and the parameters: the answers to M queries."""


class StateTensor(NamedTuple):
    """One tensor of the state: its axes and its meaning."""

    shape: tuple[Axis, ...]
    meaning: str


@dataclass(frozen=True)
class Signature:
    """What goes in and out beside the data themselves."""

    dtype: Dtype
    inputs: int | Literal["any"] = "any"
    """D, where the model fixes it."""
    outputs: int | Literal["any"] = "any"
    """K, where the model fixes it."""
    parameters: Sequence[ParameterSpec] = ()
    """Optional numbers, in the order in which the model takes them."""
    state: Mapping[str, StateTensor] = field(default_factory=dict)
    """State tensors by name, in the order of the model's NamedTuple; none for a one-shot model."""

    def input_specs(self) -> tuple[TensorSpec, ...]:
        """Every input of the graph but the parameters."""
        d: Axis = "D" if self.inputs == "any" else self.inputs
        k: Axis = "K" if self.outputs == "any" else self.outputs
        return (
            *self._states(),
            self._tensor("x", ("B", "N", d), "inputs of N further observations"),
            self._tensor("y", ("B", "N", k), "their outputs"),
            self._tensor(
                "weight", ("B", "N"), "how much each counts: 1 normally, 0 is padding, −w takes one out again"
            ),
            self._tensor("x_query", ("B", "M", d), "inputs to predict for"),
        )

    def output_specs(self) -> tuple[TensorSpec, ...]:
        """Every output of the graph."""
        k: Axis = "K" if self.outputs == "any" else self.outputs
        after = (
            spec.model_copy(update={"name": next_name(spec.name), "meaning": f"{spec.meaning}, after"})
            for spec in self._states()
        )
        return self._tensor("prediction", ("B", "M", k), "outputs for x_query"), *after

    def _states(self) -> list[TensorSpec]:
        return [self._tensor(f"state.{name}", tensor.shape, tensor.meaning) for name, tensor in self.state.items()]

    def _tensor(self, name: str, shape: tuple[Axis, ...], meaning: str) -> TensorSpec:
        return TensorSpec(name=name, dtype=self.dtype, shape=shape, meaning=meaning)


class Graph(nn.Module, ABC):
    """A model as one function of tensors, in the order of `inputs`, then the parameters."""

    def __init__(self, signature: Signature) -> None:
        super().__init__()
        self.signature = signature
        self.inputs = signature.input_specs()
        self.outputs = signature.output_specs()

    @abstractmethod
    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Map the inputs to the outputs, in the order of `outputs`."""


class StreamingGraph(Graph):
    """observe, then predict."""

    model: Model

    def __init__(self, model: Model, signature: Signature) -> None:
        super().__init__(signature)
        self.model = model
        sizes = (1 if size == "any" else size for size in (signature.inputs, signature.outputs))
        self._state_type = type(model.empty_state(1, *sizes))

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Map state, x, y, weight, x_query and parameters to the prediction and the state after."""
        size = len(self.signature.state)
        state, (x, y, weight, x_query, *parameters) = self._state_type(*tensors[:size]), tensors[size:]
        after = self.model.observe(state, x, y, weight)
        return (self.model.predict(after, x_query, *parameters), *after)


class OneShotGraph(Graph):
    """A model that must pass over the context again for every step, and so has no state.

    Args:
        model: Maps x, y, weight, x_query and the parameters to predictions.
        signature: Without a state.
    """

    def __init__(self, model: nn.Module, signature: Signature) -> None:
        super().__init__(signature)
        self.model = model

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Map x, y, weight, x_query and parameters to the prediction alone."""
        return (self.model(*tensors),)
