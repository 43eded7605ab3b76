"""A model as a graph: state in, state out, every axis named.

A wrapper, never a second copy: what it calls is the `gdssm` model itself.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from torch import Tensor, nn

from gdssm.notation import Inputs, Outputs, Predictions, Weight
from service.artifact import Axis, Dtype, ParameterSpec, TensorSpec, next_name

State = tuple[Tensor, ...]


class Model(Protocol):
    """What a model needs to be served: two pure functions and an empty state (a NamedTuple of tensors)."""

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


class Graph(nn.Module):
    """observe, then predict, as one function of tensors.

    Args:
        model: The model, an `nn.Module` as well.
        state: Its state tensors by name, in the order of its NamedTuple.
        parameters: Its optional numbers, in the order in which `predict` takes them.
        dtype: Precision of every tensor.
    """

    model: Model

    def __init__(
        self, model: Model, state: dict[str, StateTensor], parameters: Sequence[ParameterSpec], dtype: Dtype
    ) -> None:
        super().__init__()
        self.model = model
        self._state_type = type(model.empty_state(1, 1, 1))
        self.parameter_specs = tuple(parameters)
        states = [
            TensorSpec(name=f"state.{name}", dtype=dtype, shape=tensor.shape, meaning=tensor.meaning)
            for name, tensor in state.items()
        ]
        self.inputs = (
            *states,
            TensorSpec(name="x", dtype=dtype, shape=("B", "N", "D"), meaning="inputs of N further observations"),
            TensorSpec(name="y", dtype=dtype, shape=("B", "N", "K"), meaning="their outputs"),
            TensorSpec(
                name="weight",
                dtype=dtype,
                shape=("B", "N"),
                meaning="how much each counts: 1 normally, 0 is padding, −w takes one out again",
            ),
            TensorSpec(name="x_query", dtype=dtype, shape=("B", "M", "D"), meaning="inputs to predict for"),
        )
        self.outputs = (
            TensorSpec(name="prediction", dtype=dtype, shape=("B", "M", "K"), meaning="outputs for x_query"),
            *(
                spec.model_copy(update={"name": next_name(spec.name), "meaning": f"{spec.meaning}, after"})
                for spec in states
            ),
        )

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Map tensors in the order of `inputs`, then the parameters, to tensors in the order of `outputs`."""
        size = len(self.outputs) - 1
        state, (x, y, weight, x_query, *parameters) = self._state_type(*tensors[:size]), tensors[size:]
        after = self.model.observe(state, x, y, weight)
        return (self.model.predict(after, x_query, *parameters), *after)
