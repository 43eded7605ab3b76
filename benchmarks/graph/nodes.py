"""What a graph is made of, before and after onnxruntime's optimisation."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import onnxruntime

Kinds = Counter[str]
"""How many nodes of each kind."""


def exported(path: Path) -> Kinds:
    """Count the nodes of a file as it was written."""
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def optimised(path: Path) -> Kinds:
    """Count the nodes that onnxruntime runs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    with TemporaryDirectory() as directory:
        options.optimized_model_filepath = f"{directory}/optimised.onnx"
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return exported(Path(options.optimized_model_filepath))
