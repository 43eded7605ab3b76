"""One model of the zoo from entry to verified file."""

from pathlib import Path

import numpy as np
import torch

from export.graph import Graph
from export.to_onnx import OPSET, producers, trace, write
from export.verify import TOLERANCE, verify
from export.zoo import VERSION, Entry
from service.artifact import UNHASHED, Golden, Manifest


def export(entry: Entry, directory: Path) -> Path:
    """Trace a model, write its file, and verify it.

    Args:
        entry: The model.
        directory: Where its file goes.

    Returns:
        The path of the file.

    Raises:
        BrokenArtifact: The file does not answer as the model does; it is gone then.
    """
    graph, path = entry.make(), directory / f"{entry.name}.onnx"
    write(trace(graph), manifest(entry, graph), path)
    verify(path, graph)
    return path


def manifest(entry: Entry, graph: Graph) -> Manifest:
    """Describe a model, with a golden example and yet without its hash."""
    return Manifest(
        name=entry.name,
        version=VERSION,
        summary=entry.summary,
        origin="constructed",
        assumes=entry.assumes,
        dims={"D": "any", "K": "any"},
        gradient_steps=entry.gradient_steps,
        step_size=entry.step_size,
        linear_in_y=entry.linear_in_y,
        inputs=graph.inputs,
        outputs=graph.outputs,
        parameters=graph.parameter_specs,
        merge=entry.merge,
        opset=OPSET,
        producers=producers(),
        training=None,
        golden=_golden(graph),
        sha256=UNHASHED,
    )


def _golden(graph: Graph) -> Golden:
    """Run the torch model on one small context: three observations, two queries, D = 2, K = 1."""
    generator = np.random.default_rng(2410_11687)
    shapes = {"x": (1, 3, 2), "y": (1, 3, 1), "weight": (1, 3), "x_query": (1, 2, 2)}
    inputs = {name: generator.uniform(0.5, 1.5, shape).round(3) for name, shape in shapes.items()}
    state = graph.model.empty_state(1, 2, 1)
    defaults = [torch.tensor(p.default, dtype=state[0].dtype) for p in graph.parameter_specs]
    with torch.no_grad():
        outputs = graph(*state, *(torch.as_tensor(value, dtype=state[0].dtype) for value in inputs.values()), *defaults)
    named = zip(graph.outputs, outputs, strict=True)
    return Golden(
        inputs={name: value.tolist() for name, value in inputs.items()},
        outputs={spec.name: output.tolist() for spec, output in named},
        tolerance=TOLERANCE[graph.inputs[0].dtype],
    )
