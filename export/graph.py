"""A model as a graph with its state as input and output, and named axes; wrappers of the `gdssm` models."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from gdssm.cell_moments import CellMoments
from gdssm.class_readout import ClassReadout
from gdssm.evidence_average import LinearEvidence, NonlinearEvidence
from gdssm.evidence_classifier import EvidenceClassifier
from gdssm.feature_map import FeatureMapState
from gdssm.feature_plan import FeaturePlan
from gdssm.notation import Inputs, Outputs, Predictions, Weight
from gdssm.readout import Readout
from service.inference import signature
from service.inference.artifact import (
    CACHED_READY,
    WANT_RESPONSE,
    WANT_SCALE,
    Axis,
    Dtype,
    ParameterSpec,
    Task,
    TensorSpec,
    next_name,
    readout_shapes,
)

State = tuple[Tensor, ...]
MEANINGS = {
    "scale": "scale of the t distribution",
    "degrees_of_freedom": "its degrees of freedom",
    "clipped": "columns moved in",
    "constant": "1: does not vary",
    CACHED_READY: "1 where cached.* is given",
    WANT_SCALE: "0 where the scale is not asked for; it is then not computed",
    WANT_RESPONSE: "1 where readout.response is asked for",
    "layout": "which features there are, see features in the manifest; filled in by the runtime",
    "cached": "readout of the state, from an earlier run with the same state and no observations",
    "readout": "what the state answers with",
}
"""Meanings of the tensors of a model with a distribution, by name or by the part before the dot."""


class Model(Protocol):
    """A streaming model: two pure functions and an empty state (a NamedTuple of tensors)."""

    def empty_state(self, batch: int, inputs: int, outputs: int) -> State:
        """Make the state of `batch` contexts without an observation."""

    def observe(self, state: Any, x: Inputs, y: Outputs, weight: Weight) -> State:  # noqa: ANN401  (each has its own)
        """Add N observations."""

    @property
    def predict(self) -> Callable[..., Predictions]:
        """From the state, x_query (B, M, D) and the parameters to predictions for M queries."""


class StateTensor(NamedTuple):
    """One tensor of the state: its axes and its meaning."""

    shape: tuple[Axis, ...]
    meaning: str


@dataclass(frozen=True)
class Signature:
    """Types, sizes, parameters, state and features of a graph."""

    dtype: Dtype
    inputs: int | Literal["any"] = "any"
    """D, where the model fixes it."""
    outputs: int | Literal["any"] = "any"
    """K, where the model fixes it."""
    parameters: Sequence[ParameterSpec] = ()
    """Optional numbers, in the order of the model's arguments."""
    state: Mapping[str, StateTensor] = field(default_factory=dict)
    """State tensors by name, in the order of the NamedTuple; empty for a one-shot model."""
    plan: FeaturePlan | None = None
    """The features of a model with evidence."""
    task: Task = "regression"

    def input_specs(self) -> tuple[TensorSpec, ...]:
        """All inputs of the graph but the parameters."""
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
            *self._extra(signature.extra_inputs(self.plan, self.task)),
        )

    def output_specs(self) -> tuple[TensorSpec, ...]:
        """All outputs of the graph."""
        k: Axis = "K" if self.outputs == "any" else self.outputs
        after = (
            spec.model_copy(update={"name": next_name(spec.name), "meaning": f"{spec.meaning}, after"})
            for spec in self._states()
        )
        extra = self._extra(signature.extra_outputs(self.plan, self.task))
        return self._tensor("prediction", ("B", "M", k), "outputs for x_query"), *extra, *after

    def _extra(self, shapes: Mapping[str, tuple[Axis, ...]]) -> list[TensorSpec]:
        return [
            self._tensor(name, shape, MEANINGS.get(name) or MEANINGS[name.partition(".")[0]])
            for name, shape in shapes.items()
        ]

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
    """`observe`, then `predict`."""

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


class DistributionGraph(Graph):
    """`observe`, `readout`, then `predict`, with Student t distributions.

    The readout is computed for queries without a cached one; `to_onnx` moves it into a branch.
    """

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        plan = signature.plan
        assert plan is not None  # noqa: S101
        self.makes_features = plan.makes_features
        self.groups = plan.groups
        self.linear, self.nonlinear = LinearEvidence(), NonlinearEvidence()

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Map all inputs to all outputs."""
        given = {spec.name: tensor for spec, tensor in zip(self.inputs, tensors, strict=True)}
        state = [tensor for name, tensor in given.items() if name.startswith("state.")]
        x, y, weight, x_query = (given[name] for name in ("x", "y", "weight", "x_query"))
        tables = (given["layout.block"], *(given[f"layout.group.{number}"] for number in range(self.groups)))
        outputs = y.shape[-1]
        if self.makes_features:
            maps = given["layout.additive"], given["layout.pairs"]
            after = self.nonlinear.observe(FeatureMapState(*state), x, y, weight, *maps)
            computed = self.nonlinear.readout(after, outputs, *tables) if _computes_readout(given) else None
            readout = self._chosen(computed, given)
            return (*self.nonlinear.predict(after, readout, x_query, *maps), *readout, *after)
        moments = self.linear.observe(CellMoments(*[*state, x.new_zeros(x.shape[0], 0)]), x, y, weight)
        computed = self.linear.readout(moments, outputs, *tables) if _computes_readout(given) else None
        readout = self._chosen(computed, given)
        return (*self.linear.predict(moments, readout, x_query), *readout, *moments[:-1])

    @staticmethod
    def _chosen(computed: Readout | None, given: Mapping[str, Tensor]) -> Readout:
        """Use the cached readout where none is computed; leave out parts that are not asked for, as a file does."""
        if computed is not None and torch.compiler.is_exporting():
            return computed
        weight, covariance, noise = (given[name] for name in readout_shapes("cached", "", "regression"))
        if computed is None:
            return Readout(weight, covariance, noise, response=covariance)
        return computed._replace(
            covariance=computed.covariance if given[WANT_SCALE] else covariance,
            response=computed.response if given[WANT_RESPONSE] else covariance,
        )


def _computes_readout(given: Mapping[str, Tensor]) -> bool:
    """Whether there are queries and no cached readout for them; a file has a branch instead."""
    return torch.compiler.is_exporting() or not (given[CACHED_READY].sum() or not given["x_query"].shape[1])


class ClassificationGraph(Graph):
    """`observe`, `readout`, then `predict`, with probabilities of classes."""

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        plan = signature.plan
        assert plan is not None  # noqa: S101
        self.groups = plan.groups
        self.model = EvidenceClassifier()

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Map all inputs to all outputs."""
        given = {spec.name: tensor for spec, tensor in zip(self.inputs, tensors, strict=True)}
        state = FeatureMapState(*(tensor for name, tensor in given.items() if name.startswith("state.")))
        x, y, weight, x_query = (given[name] for name in ("x", "y", "weight", "x_query"))
        tables = (given["layout.block"], *(given[f"layout.group.{number}"] for number in range(self.groups)))
        maps = given["layout.additive"], given["layout.pairs"]
        after = self.model.observe(state, x, y, weight, *maps)
        if _computes_readout(given):
            readout = self.model.readout(after, y.shape[-1], *tables)
        else:
            readout = ClassReadout(*(given[name] for name in readout_shapes("cached", "", "classification")))
        return (*self.model.predict(after, readout, x_query, *maps), *readout, *after)


class OneShotGraph(Graph):
    """A model without a state, which passes over the context in every step.

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
