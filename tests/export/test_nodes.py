"""The graphs are as small as they were made: no node that only moves numbers about, and no more than there were."""

from collections.abc import Iterator

import onnx
import pytest
from onnxscript import rewriter

from benchmarks.graph import nodes_in, optimised
from export import to_onnx
from tests.properties.backends import ZOO

MOST = {
    "gd-1": 39,
    "gd-8": 123,
    "linear": 660,
    "linear-1.0.0": 95,
    "nonlinear": 1940,
    "classifier": 2400,
    "classifier-1.0.0": 205,
    "softmax-1": 78,
}
"""What onnxruntime has of each, in branches too, of which a run takes one."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "most"), MOST.items())
def test_onnxruntime_has_no_more_to_run_than_before(name: str, most: int) -> None:
    kinds = optimised(ZOO / f"{name}.onnx")
    assert kinds.total() <= most, dict(kinds)


@pytest.mark.parametrize("name", ["gd-1", "gd-8", "linear-1.0.0"])
def test_nothing_is_transposed_repeated_or_only_copied(name: str) -> None:
    kinds = optimised(ZOO / f"{name}.onnx")
    assert not {"Transpose", "Expand", "Tile", "Identity", "ConstantOfShape", "Gather"} & kinds.keys(), dict(kinds)


@pytest.mark.parametrize(("name", "flags"), {"gd-1": 0, "gd-8": 0, "linear-1.0.0": 0, "linear": 3}.items())
def test_only_conditions_and_sizes_are_cast(name: str, flags: int) -> None:
    """And the flags of a caller: the cached readout, the scale, the response."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(ZOO / f"{name}.onnx")).graph
    floats = {
        value.name
        for part in graphs_in(graph)
        for value in (*part.value_info, *part.input)
        if value.type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
    }
    casts = [node for node in nodes_in(graph) if node.op_type == "Cast" and node.input[0] in floats]
    kinds = [attribute.i for node in casts for attribute in node.attribute if attribute.name == "to"]
    assert kinds == [onnx.TensorProto.BOOL] * flags


def graphs_in(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """A graph, and the branches in it."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from graphs_in(attribute.g)


def test_only_the_rule_on_pairs_of_slices_is_left_out_of_an_export() -> None:
    every = rewriter._DEFAULT_REWRITE_RULES
    with to_onnx._without_pairs_of_slices():
        used = rewriter._DEFAULT_REWRITE_RULES
    assert [rule.name for rule in every if rule not in used] == ["SlicesSplit"]
    assert rewriter._DEFAULT_REWRITE_RULES is every
