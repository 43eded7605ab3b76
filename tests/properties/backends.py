"""Two backends for each model of the zoo: the shipped file, and the torch model, which answers the same."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import service
from export.graph import Graph
from export.zoo import ENTRIES, Entry
from service.inference.artifact import next_name
from service.inference.cells import buffered
from service.inference.runtime import Runtime
from service.levels import Levels
from service.states.merge import merge
from service.states.tensors import is_buffered
from tests.properties.cases import ROUNDING, WITH_FEATURES

Array = NDArray[np.floating]
State = Mapping[str, Array]
ZOO = Path(service.__file__).parent / "zoo"


class Backend(ABC):
    """A model as a function of a state."""

    levels: Levels = ()
    """Which columns of x are levels of categories."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.runtime = Runtime.load(ZOO / entry.file)

    def with_levels(self, levels: Levels) -> Self:
        """The same model for tables with categories."""
        other = copy(self)
        other.levels = levels
        return other

    @property
    def rounding(self) -> float:
        """How much two ways to one answer may differ, relative to the largest entry."""
        features = self.runtime.manifest.features
        return WITH_FEATURES if features is not None and features.makes_features else ROUNDING

    @abstractmethod
    def run(self, tensors: Mapping[str, Array | float]) -> dict[str, Array]:
        """Map inputs by name to outputs by name; state and weight may be left out."""

    def observe(self, x: Array, y: Array, weight: Array | None = None, state: State | None = None) -> dict[str, Array]:
        """Add observations to a state."""
        weights = np.ones(x.shape[:2]) if weight is None else weight
        outputs = self.run({"x": x, "y": y, "weight": weights, **(state or {})})
        return {spec.name: outputs[next_name(spec.name)] for spec in self.runtime.manifest.state}

    def merge(self, older: State, newer: State) -> State:
        """Join two states; a state that holds observations as they came gives them to the other."""
        if is_buffered(newer):
            return self._observe_buffered(newer, older)
        if is_buffered(older):
            return self._observe_buffered(older, newer)
        return merge(self.runtime.manifest, older, newer)

    def _observe_buffered(self, held: State, state: State) -> State:
        rows = buffered(held)
        return self.observe(rows["x"], rows["y"], rows["weight"], state)

    def predict(self, state: State, x_query: Array, **parameters: float) -> Array:
        """Answer queries from a state."""
        return self.run({"x_query": x_query, **state, **parameters})["prediction"]


class OnnxBackend(Backend):
    """The shipped file, as the service runs it."""

    def run(self, tensors: Mapping[str, Array | float]) -> dict[str, Array]:
        return self.runtime.run(tensors, self.levels)


class TorchBackend(Backend):
    """The torch model itself."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.graph: Graph = entry.make()

    def run(self, tensors: Mapping[str, Array | float]) -> dict[str, Array]:
        defaults = {parameter.name: parameter.default for parameter in self.graph.signature.parameters}
        complete = {**defaults, **self.runtime.complete(tensors, self.levels)}
        names = [*(spec.name for spec in self.graph.inputs), *defaults]
        dtype = getattr(torch, self.graph.signature.dtype)
        with torch.no_grad():
            outputs = self.graph(*(torch.tensor(complete[name], dtype=dtype) for name in names))
        return {spec.name: output.numpy() for spec, output in zip(self.graph.outputs, outputs, strict=True)}


@cache
def backend(kind: type[Backend], name: str) -> Backend:
    """Create a backend once."""
    return kind(next(entry for entry in ENTRIES if entry.file == f"{name}.onnx"))


def _each(names: list[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", names)


REGRESSORS = [entry.file.removesuffix(".onnx") for entry in ENTRIES if entry.task == "regression" and not entry.run]
CONSTRUCTED = [entry.file.removesuffix(".onnx") for entry in ENTRIES if not entry.run]
TRAINED = [entry.name for entry in ENTRIES if entry.run]
SETS = [entry.file.removesuffix(".onnx") for entry in ENTRIES if entry.merge.rule != "none"]
"""Models whose context is a set: it streams in any order, and states merge."""

every_constructed_regressor = _each(REGRESSORS)
every_trained_model = _each(TRAINED)
every_set_model = _each(SETS)
