"""Comparison of the file with the torch model, by the runtime of the service, on shapes other than the traced ones."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from export.claims import BY_EVIDENCE, TOLERANCE, check_claims
from export.graph import Graph
from service.errors import BrokenArtifact
from service.inference.artifact import WANT_RESPONSE, WANT_SCALE
from service.inference.runtime import Runtime
from service.inference.sizes import Array, shape_of

SHAPES = (
    {"B": 1, "N": 1, "M": 1, "D": 1, "K": 1},
    {"B": 3, "N": 11, "M": 2, "D": 4, "K": 1},
    {"B": 2, "N": 5, "M": 3, "D": 13, "K": 2},
    {"B": 1, "N": 300, "M": 7, "D": 6, "K": 5},
    {"B": 4, "N": 0, "M": 3, "D": 2, "K": 3},
    {"B": 3, "N": 9, "M": 0, "D": 7, "K": 2},
    {"B": 2, "N": 0, "M": 0, "D": 3, "K": 1},
)


def verify(path: Path, graph: Graph) -> None:
    """Load the file by `Runtime` and compare all outputs with the graph on all shapes; a file that fails is deleted.

    Raises:
        BrokenArtifact: With the tensor, the shape and the difference.
    """
    try:
        runtime = Runtime.load(path)
        runtime.wide = sys.maxsize  # compare the graph, without the numpy readout of the service
        for sizes in SHAPES:
            for tensors in _examples(graph, runtime, sizes):
                _compare(graph, runtime, tensors, sizes)
        check_claims(runtime)
    except Exception:
        path.unlink()
        raise


def _examples(graph: Graph, runtime: Runtime, sizes: dict[str, int]) -> Iterator[dict[str, Array | float]]:
    """Random tensors for an empty state, for the state after it, for missing cells, caches and parameters."""
    sizes = sizes | {str(letter): size for letter, size in runtime.manifest.dims.items() if size != "any"}
    sizes["D+K"] = sizes["D"] + sizes["K"]
    generator = np.random.default_rng(0)
    data: dict[str, Any] = {
        spec.name: generator.normal(size=shape_of(spec, sizes)).astype(spec.dtype)
        for spec in graph.inputs
        if spec.name in {"x", "y", "weight", "x_query"}
    }
    data["weight"] = np.abs(data["weight"])
    yield data
    yield {**runtime.state_after(runtime.run(data)), **data}
    if runtime.manifest.missing_cells:
        missing = {
            name: np.where(generator.random(data[name].shape) < 0.3, np.nan, data[name]) for name in ("x", "x_query")
        }
        yield data | missing
        yield {**runtime.state_after(runtime.run(data)), **data, **missing}
    if runtime.manifest.gives_scale:
        yield {**data, WANT_SCALE: 0.0, WANT_RESPONSE: 1.0}
    if runtime.manifest.features is not None:
        outputs = runtime.run(data)
        yield {**runtime.state_after(outputs), **runtime.readout_of(outputs), "x_query": data["x_query"]}
    for parameter in graph.signature.parameters:
        yield {**data, parameter.name: parameter.above + 0.01}


def _compare(graph: Graph, runtime: Runtime, tensors: dict[str, Array | float], sizes: dict[str, int]) -> None:
    answer = runtime.run(tensors)
    tolerance = TOLERANCE[runtime.manifest.dtype] if runtime.manifest.features is None else BY_EVIDENCE
    for spec, expected in zip(graph.outputs, _in_torch(graph, runtime, tensors), strict=True):
        actual = answer[spec.name]
        if actual.shape != expected.shape:
            raise BrokenArtifact(f"{spec.name} has shape {actual.shape}, torch's has {expected.shape}, at {sizes}.")
        difference = float(np.abs(actual - expected).max(initial=0.0))
        if not difference <= tolerance * np.abs(expected).max(initial=1e-20):
            raise BrokenArtifact(f"{spec.name} differs from torch's by {difference:.3g} at {sizes}.")


def _in_torch(graph: Graph, runtime: Runtime, tensors: dict[str, Array | float]) -> list[Array]:
    complete = runtime.complete(tensors)
    defaults = {parameter.name: parameter.default for parameter in graph.signature.parameters}
    values = [complete.get(name, defaults.get(name)) for name in [*(s.name for s in graph.inputs), *defaults]]
    with torch.no_grad():
        outputs = graph(*(torch.tensor(np.asarray(value, runtime.manifest.dtype)) for value in values))
    return [output.numpy() for output in outputs]
