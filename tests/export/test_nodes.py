"""The graphs are as small as they were made: no node that only moves numbers about, and no more than there were."""

import onnx
import pytest

from benchmarks.graph.nodes import optimised
from tests.properties.doors import ZOO

MOST = {"gd-1": 39, "gd-8": 123, "linear": 95, "classifier": 205, "softmax-1": 78}
"""What onnxruntime runs of each."""


@pytest.mark.parametrize(("name", "most"), MOST.items())
def test_onnxruntime_has_no_more_to_run_than_before(name: str, most: int) -> None:
    kinds = optimised(ZOO / f"{name}.onnx")
    assert kinds.total() <= most, dict(kinds)


@pytest.mark.parametrize("name", ["gd-1", "gd-8", "linear"])
def test_nothing_is_transposed_repeated_or_only_copied(name: str) -> None:
    kinds = optimised(ZOO / f"{name}.onnx")
    assert not {"Transpose", "Expand", "Tile", "Identity", "ConstantOfShape", "Gather"} & kinds.keys(), dict(kinds)


@pytest.mark.parametrize("name", ["gd-1", "gd-8", "linear"])
def test_only_conditions_and_sizes_are_cast(name: str) -> None:
    graph = onnx.shape_inference.infer_shapes(onnx.load(ZOO / f"{name}.onnx")).graph
    floats = {
        v.name for v in (*graph.value_info, *graph.input) if v.type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
    }
    casts = [node for node in graph.node if node.op_type == "Cast"]
    assert not [node.name for node in casts if node.input[0] in floats]
