"""Model files that were tampered with, by someone who knows how to hash them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import onnx

from export.to_onnx import write
from service.inference.artifact import UNHASHED, Manifest, content_hash
from service.inference.runtime import Runtime
from tests.properties.backends import ZOO


@cache
def shipped(name: str = "gd-1") -> bytes:
    return (ZOO / f"{name}.onnx").read_bytes()


@cache
def manifest(name: str = "gd-1") -> Manifest:
    return Runtime.of_bytes(shipped(name)).manifest


def forged(
    path: Path, change: Callable[[onnx.ModelProto], None] = lambda _: None, of: str = "gd-1", /, **claims: object
) -> bytes:
    """Write a model with another graph, or another manifest, and the right hash; returns its bytes."""
    model = onnx.load_from_string(shipped(of))
    change(model)
    write(model, manifest(of).model_copy(update=claims), path)
    return path.read_bytes()


def rehashed(file: bytes) -> bytes:
    """Make the hash of a changed gd-1 fit again."""
    unhashed = file.replace(manifest().sha256.encode(), UNHASHED.encode())
    return unhashed.replace(UNHASHED.encode(), content_hash(unhashed, UNHASHED).encode())


def answering(path: Path, offset: float, **claims: object) -> bytes:
    """Write a model whose answers are off by a number, so that an answer says who gave it."""
    change = adding("offset", offset=np.array(offset))
    golden = manifest().golden
    outputs = {**golden.outputs, "prediction": (np.array(golden.outputs["prediction"]) + offset).tolist()}
    return forged(path, change, golden=golden.model_copy(update={"outputs": outputs}), **claims)


def adding(tensor: str, *nodes: onnx.NodeProto, **initializers: np.ndarray) -> Callable[[onnx.ModelProto], None]:
    """Add some nodes to a graph, and what they come to to its prediction."""

    def change(model: onnx.ModelProto) -> None:
        _rename_prediction(model)
        for name, values in initializers.items():
            model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
        model.graph.node.extend(nodes)
        model.graph.node.append(onnx.helper.make_node("Add", ["honest", tensor], ["prediction"]))

    return change


def endless(path: Path) -> bytes:
    """Write a model whose graph does not end."""
    value, node = onnx.helper.make_tensor_value_info, onnx.helper.make_node
    body = onnx.helper.make_graph(
        [node("Identity", ["go"], ["on"]), node("Add", ["v", "v"], ["twice"])],
        "body",
        [value("i", onnx.TensorProto.INT64, []), value("go", onnx.TensorProto.BOOL, []), value("v", 11, [])],
        [value("on", onnx.TensorProto.BOOL, []), value("twice", 11, [])],
    )
    loop = node("Loop", ["times", "always", "start"], ["never"], body=body)
    given = {"times": np.array(2**62), "always": np.array(True), "start": np.array(0.0)}
    return forged(path, adding("never", loop, **given))


def _rename_prediction(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        for index, output in enumerate(node.output):
            if output == "prediction":
                node.output[index] = "honest"
