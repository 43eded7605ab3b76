"""What a graph is made of, before and after onnxruntime's optimisation."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import onnxruntime

Kinds = Counter[str]
"""How many nodes of each kind."""


def exported(path: Path) -> Kinds:
    """Count the nodes of a file as it was written, those in the branches of an If too."""
    return Counter(node.op_type for node in nodes_in(onnx.load(path).graph))


def nodes_in(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """List the nodes of a graph, and of the branches in it."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from nodes_in(attribute.g)


def optimised(path: Path) -> Kinds:
    """Count the nodes that onnxruntime runs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    with TemporaryDirectory() as directory:
        options.optimized_model_filepath = f"{directory}/optimised.onnx"
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return exported(Path(options.optimized_model_filepath))
