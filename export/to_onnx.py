"""The graph as a file: traced by the exporter of torch, with named axes, defaults and manifest."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

import numpy as np
import onnx
import torch
from onnxscript import rewriter
from torch import Tensor

from export.branches import compute_if, shorten_names
from export.graph import Graph
from service.inference.artifact import (
    CACHED_READY,
    METADATA_KEY,
    RESPONSE,
    UNHASHED,
    WANT_RESPONSE,
    WANT_SCALE,
    Dtype,
    Manifest,
    ParameterSpec,
    Task,
    TensorSpec,
    content_hash,
    next_name,
    readout_shapes,
)
from service.inference.sizes import shape_of

OPSET = 20

TRACED_SIZES = {"B": 2, "N": 7, "M": 4, "D": 5, "K": 3, "G": 5, "A": 9, "P": 6, "S0": 10, "S1": 19, "S2": 25, "S3": 13}
"""Sizes for tracing; co-prime where possible, so that different axes have different sizes."""


def producers() -> dict[str, str]:
    """The versions of the libraries that write the file."""
    return {name: version(name).split("+")[0] for name in ("torch", "onnx", "onnxscript", "onnxruntime", "numpy")}


def trace(graph: Graph) -> onnx.ModelProto:
    """Trace a graph to ONNX; axes with letters are dynamic and named, parameters optional."""
    parameters = tuple(graph.signature.parameters)
    dynamic = [
        {axis: torch.export.Dim.AUTO for axis, letter in enumerate(spec.shape) if isinstance(letter, str)}
        for spec in graph.inputs
    ]
    with warnings.catch_warnings(), _without_pairs_of_slices():
        warnings.simplefilter("ignore")  # torch 2.13 exports by interfaces that it has deprecated
        program = torch.onnx.export(
            graph.eval(),
            (*map(_example, graph.inputs), *(torch.tensor(p.default, dtype=_dtype(graph)) for p in parameters)),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            dynamic_shapes=((*dynamic, *[None] * len(parameters)),),
            input_names=[*(spec.name for spec in graph.inputs), *(parameter.name for parameter in parameters)],
            output_names=[spec.name for spec in graph.outputs],
        )
    assert program is not None  # noqa: S101  (dynamo=True always returns one)
    model = program.model_proto
    _drop_traces(model)
    if graph.signature.plan is not None:
        states = [spec.name for spec in graph.inputs if spec.name.startswith("state.")]
        _compute_if_wanted(model, states, graph.signature.task)
        shorten_names(model)
    _name_axes(model, (*graph.inputs, *graph.outputs))
    _make_optional(model, parameters, graph.signature.dtype)
    onnx.checker.check_model(model, full_check=True)
    return model


@contextmanager
def _without_pairs_of_slices() -> Iterator[None]:
    """Leave out a rewriting rule that reads the whole graph for each node: a third of the time of an export.

    It replaces two slices of one tensor by a split; it applies to no model.
    """
    rules = tuple(rule for rule in rewriter._DEFAULT_REWRITE_RULES if rule.name != "SlicesSplit")  # noqa: SLF001  (no setting)
    with patch.object(rewriter, "_DEFAULT_REWRITE_RULES", rules):
        yield


def _compute_if_wanted(model: onnx.ModelProto, state: list[str], task: Task) -> None:
    """Compute the state for N > 0, the readout for M > 0 without a cached one, and its covariance for a scale."""
    make = onnx.helper.make_node
    boolean = onnx.TensorProto.BOOL
    model.graph.node.extend(
        [
            make("Shape", ["x"], ["observations"], start=1, end=2),
            make("Squeeze", ["observations"], ["observations.count"]),
            make("Cast", ["observations.count"], ["observations.any"], to=boolean),
            make("Shape", ["x_query"], ["queries"], start=1, end=2),
            make("Squeeze", ["queries"], ["queries.count"]),
            make("Cast", ["queries.count"], ["queries.any"], to=boolean),
            make("ReduceSum", [CACHED_READY], ["ready.count"], keepdims=0),
            make("Cast", ["ready.count"], ["ready.any"], to=boolean),
            make("Not", ["ready.any"], ["ready.none"]),
            make("And", ["queries.any", "ready.none"], ["readout.wanted"]),
        ]
    )
    given = dict(zip(*(readout_shapes(prefix, "", task) for prefix in ("readout", "cached")), strict=True))
    if task == "regression":
        model.graph.node.extend(
            [
                make("Cast", [WANT_SCALE], ["scale.wanted"], to=boolean),
                make("Cast", [WANT_RESPONSE], ["response.wanted"], to=boolean),
            ]
        )
        covariance = given["readout.covariance"]
        compute_if(model, "response.wanted", {RESPONSE: covariance})
        compute_if(model, "scale.wanted", {"readout.covariance": covariance})
        given[RESPONSE] = covariance
    compute_if(model, "readout.wanted", given)
    compute_if(model, "observations.any", {next_name(name): name for name in state})


def write(model: onnx.ModelProto, manifest: Manifest, path: Path) -> None:
    """Write a traced model with its manifest, whose hash is replaced by that of the content."""
    text = manifest.model_copy(update={"sha256": UNHASHED}).model_dump_json()
    onnx.helper.set_model_props(model, {METADATA_KEY: text})
    file = model.SerializeToString(deterministic=True)
    path.write_bytes(file.replace(UNHASHED.encode(), content_hash(file, UNHASHED).encode()))


def _example(spec: TensorSpec) -> Tensor:
    return torch.ones(shape_of(spec, TRACED_SIZES), dtype=getattr(torch, spec.dtype))


def _dtype(graph: Graph) -> torch.dtype:
    dtype: torch.dtype = getattr(torch, graph.signature.dtype)
    return dtype


def _drop_traces(model: onnx.ModelProto) -> None:
    """Remove the source of each node: it contains paths, and changes with every edit."""
    for node in model.graph.node:
        del node.metadata_props[:]
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]


def _name_axes(model: onnx.ModelProto, specs: tuple[TensorSpec, ...]) -> None:
    """Name the axes of inputs and outputs by the letters of the manifest."""
    shapes = {spec.name: spec.shape for spec in specs}
    for value in (*model.graph.input, *model.graph.output):
        for dimension, axis in zip(value.type.tensor_type.shape.dim, shapes.get(value.name, ()), strict=False):
            if isinstance(axis, str):
                dimension.dim_param = axis


def _make_optional(model: onnx.ModelProto, parameters: tuple[ParameterSpec, ...], dtype: Dtype) -> None:
    """Add the default of every parameter as an initializer of its name, which an input overrides."""
    for parameter in parameters:
        value = np.asarray(parameter.default, dtype)
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, parameter.name))
