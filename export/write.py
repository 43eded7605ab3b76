"""One model of the zoo from entry to verified file."""

from pathlib import Path

import numpy as np
import torch

from export.claims import BY_EVIDENCE, TOLERANCE
from export.graph import Graph
from export.to_onnx import OPSET, producers, trace, write
from export.trained import record
from export.verify import verify
from export.zoo import Entry
from service.inference.artifact import UNHASHED, WANT_SCALE, Golden, Manifest
from service.inference.sizes import Array, shape_of

DATA = ("x", "y", "weight", "x_query")


def export(entry: Entry, directory: Path) -> Path:
    """Trace a model, write its file into a directory, verify it, and return its path.

    Raises:
        BrokenArtifact: The file does not answer as the model does; the file is deleted.
    """
    graph, path = entry.make(), directory / entry.file
    description = manifest(entry, graph)  # refuses a wrong name or version before the graph is traced
    write(trace(graph), description, path)
    verify(path, graph)
    return path


def manifest(entry: Entry, graph: Graph) -> Manifest:
    """Describe a model, with a golden example and without its hash."""
    return Manifest(
        name=entry.name,
        version=entry.version,
        summary=entry.summary,
        task=entry.task,
        origin="trained" if entry.run else "constructed",
        assumes=entry.assumes,
        dims={"D": graph.signature.inputs, "K": graph.signature.outputs},
        gradient_steps=entry.gradient_steps,
        step_size=entry.step_size,
        linear_in_y=entry.linear_in_y,
        linear_in_y_given=entry.linear_in_y_given,
        affine_in_query=entry.affine_in_query,
        features=graph.signature.plan,
        missing_cells=graph.signature.plan is not None,
        column_kinds=("number",) if graph.signature.plan is None else ("number", "level"),
        inputs=graph.inputs,
        outputs=graph.outputs,
        parameters=tuple(graph.signature.parameters),
        merge=entry.merge,
        opset=OPSET,
        producers=producers(),
        training=record(entry.run) if entry.run else None,
        golden=_golden(graph),
        sha256=UNHASHED,
    )


def _tables(graph: Graph, sizes: dict[str, int]) -> dict[str, Array]:
    """Return the tables of the features, and add their sizes to `sizes`."""
    plan = graph.signature.plan
    if plan is None:
        return {}
    sizes["G"] = 0
    tables = plan.tables(sizes["D"], sizes["G"])
    sizes |= {"A": len(tables["additive"]), "P": len(tables["pairs"])}
    sizes |= {f"S{number}": len(tables[f"group.{number}"]) for number in range(plan.groups)}
    return {f"layout.{name}": table for name, table in tables.items()}


def _golden(graph: Graph) -> Golden:
    """Run the torch model on three observations and two queries, D = K = 2 where they are free."""
    free = {"B": 1, "N": 3, "M": 2, "D": 2, "K": 2, "D+K": 4}
    generator = np.random.default_rng(2410_11687)
    inputs: dict[str, Array] = {}
    tables = _tables(graph, free)
    for spec in graph.inputs:
        shape = shape_of(spec, free)
        drawn = generator.uniform(0.5, 1.5, shape).round(3)
        filled = np.ones(shape) if spec.name == WANT_SCALE else np.zeros(shape)
        inputs[spec.name] = tables.get(spec.name, drawn if spec.name in DATA else filled)
    inputs["y"] = np.eye(inputs["y"].shape[2])[np.arange(3) % inputs["y"].shape[2]][None]
    defaults = {parameter.name: np.asarray(parameter.default) for parameter in graph.signature.parameters}
    dtype = getattr(torch, graph.signature.dtype)
    with torch.no_grad():
        outputs = graph(*(torch.as_tensor(value, dtype=dtype) for value in (inputs | defaults).values()))
    return Golden(
        inputs={name: value.tolist() for name, value in inputs.items() if name in DATA},
        outputs={spec.name: output.tolist() for spec, output in zip(graph.outputs, outputs, strict=True)},
        tolerance=TOLERANCE[graph.signature.dtype] if graph.signature.plan is None else BY_EVIDENCE,
    )
