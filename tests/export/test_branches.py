"""Conditional tensors are computed in their branch alone, and outputs stay the same."""

from itertools import product

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from export.branches import compute_if, shorten_names
from tests.closeness import assert_close

Array = NDArray[np.float64]
Node = onnx.NodeProto
X, DEFAULT, OTHER = np.array([1.0, -2.0, 3.0]), np.array([10.0, 20.0, 30.0]), np.array([0.5, 0.25, 0.125])


def node(operator: str, inputs: str, output: str) -> Node:
    return helper.make_node(operator, inputs.split(), [output], name=f"node of {output}")


def model(nodes: list[Node], outputs: str) -> onnx.ModelProto:
    """Make a graph of double tensors (3,): x, default and other, and conditions flag and second."""
    doubles = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [3]) for name in ("x", "default", "other")]
    flags = [helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("flag", "second")]
    made = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [3]) for name in outputs.split()]
    half = onnx.numpy_helper.from_array(np.array(0.5), "half")
    graph = helper.make_graph(nodes, "graph", [*doubles, *flags], made, [half])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def run(made: onnx.ModelProto, *, flag: bool = True, second: bool = True) -> dict[str, Array]:
    onnx.checker.check_model(made, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given = {"x": X, "default": DEFAULT, "other": OTHER, "flag": np.array(flag), "second": np.array(second)}
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, given), strict=True))


def kinds(made: onnx.ModelProto) -> list[str]:
    """Name the operators outside of branches."""
    return [one.op_type for one in made.graph.node]


@pytest.mark.parametrize("flag", [True, False])
def test_a_tensor_is_computed_or_taken_from_elsewhere(*, flag: bool) -> None:
    made = model([node("Exp", "x", "e"), node("Mul", "e half", "result")], "result")
    compute_if(made, "flag", {"result": "default"})
    assert kinds(made) == ["If"]
    assert_close(run(made, flag=flag)["result"], np.exp(X) / 2 if flag else DEFAULT, "result")


def test_nodes_of_the_branch_run_only_on_the_condition() -> None:
    shape = helper.make_node("Constant", [], ["shape"], value_ints=[7])
    made = model([shape, node("Reshape", "x shape", "wide"), node("Exp", "wide", "result")], "result")
    del made.graph.output[0].type.tensor_type.shape.dim[:]
    made.graph.output[0].type.tensor_type.shape.dim.add().dim_param = "N"
    compute_if(made, "flag", {"result": "default"})
    assert_close(run(made, flag=False)["result"], DEFAULT, "result")
    with pytest.raises(Exception, match="Reshape"):
        run(made, flag=True)


@pytest.mark.parametrize("flag", [True, False])
def test_nodes_that_others_need_run_once_and_always(*, flag: bool) -> None:
    nodes = [node("Exp", "x", "e"), node("Neg", "e", "result"), node("Add", "e other", "extra")]
    made = model(nodes, "result extra")
    compute_if(made, "flag", {"result": "default"})
    assert sorted(kinds(made)) == ["Add", "Exp", "If"]
    found = run(made, flag=flag)
    assert_close(found["result"], -np.exp(X) if flag else DEFAULT, "result")
    assert_close(found["extra"], np.exp(X) + OTHER, "extra")


@pytest.mark.parametrize("flag", [True, False])
def test_later_nodes_read_the_output_of_the_branch(*, flag: bool) -> None:
    nodes = [node("Exp", "x", "result"), node("Add", "result other", "after"), node("Abs", "after", "last")]
    made = model(nodes, "result last")
    compute_if(made, "flag", {"result": "default"})
    found = run(made, flag=flag)
    assert_close(found["last"], np.abs((np.exp(X) if flag else DEFAULT) + OTHER), "last")


@pytest.mark.parametrize("flag", [True, False])
def test_a_tensor_need_not_be_an_output_of_the_graph(*, flag: bool) -> None:
    made = model([node("Exp", "x", "between"), node("Abs", "between", "last")], "last")
    compute_if(made, "flag", {"between": "default"})
    assert_close(run(made, flag=flag)["last"], np.exp(X) if flag else DEFAULT, "last")


@pytest.mark.parametrize("flag", [True, False])
def test_a_node_that_reads_one_result_is_computed_in_the_branch_for_another_and_after_it(*, flag: bool) -> None:
    nodes = [
        node("Exp", "x", "first"),
        node("Neg", "first", "read"),
        node("Add", "read x", "last"),
        node("Mul", "read other", "extra"),
    ]
    made = model(nodes, "first last extra")
    compute_if(made, "flag", {"first": "default", "last": "other"})
    assert sorted(kinds(made)) == ["If", "Mul", "Neg"]
    found = run(made, flag=flag)
    first = np.exp(X) if flag else DEFAULT
    assert_close(found["first"], first, "first")
    assert_close(found["last"], X - np.exp(X) if flag else OTHER, "last")
    assert_close(found["extra"], -first * OTHER, "extra")


@pytest.mark.parametrize("flag", [True, False])
def test_condition_and_replacement_may_be_computed_tensors(*, flag: bool) -> None:
    nodes = [
        node("Exp", "x", "e"),
        node("Neg", "e", "result"),
        node("Not", "flag", "off"),
    ]
    made = model(nodes, "result")
    compute_if(made, "off", {"result": "e"})
    assert sorted(kinds(made)) == ["Exp", "If", "Not"]
    assert_close(run(made, flag=flag)["result"], np.exp(X) if flag else -np.exp(X), "result")


def nested() -> onnx.ModelProto:
    """Make x → inner → outer, where an inner branch reads a result of the outer one."""
    nodes = [
        node("Exp", "x", "first"),
        node("Neg", "first", "step"),
        node("Add", "step other", "inner"),
        node("Mul", "inner first", "outer"),
    ]
    made = model(nodes, "first inner outer")
    compute_if(made, "second", {"inner": "default"})
    compute_if(made, "flag", {"first": "default", "inner": "other", "outer": "x"})
    return made


@pytest.mark.parametrize(("flag", "second"), list(product([True, False], repeat=2)))
def test_branches_may_be_nested(*, flag: bool, second: bool) -> None:
    made = nested()
    assert kinds(made) == ["If"]
    found = run(made, flag=flag, second=second)
    inner = OTHER - np.exp(X) if second else DEFAULT
    assert_close(found["first"], np.exp(X) if flag else DEFAULT, "first")
    assert_close(found["inner"], inner if flag else OTHER, "inner")
    assert_close(found["outer"], inner * np.exp(X) if flag else X, "outer")


@pytest.mark.parametrize(("flag", "second"), list(product([True, False], repeat=2)))
def test_short_names_keep_results(*, flag: bool, second: bool) -> None:
    made, short = nested(), nested()
    shorten_names(short)
    for name, values in run(made, flag=flag, second=second).items():
        assert_close(run(short, flag=flag, second=second)[name], values, name)


def every_name(graph: onnx.GraphProto) -> set[str]:
    names = {value.name for value in (*graph.initializer, *graph.output)}
    for one in graph.node:
        names |= {one.name, *one.input, *one.output}
        names = names.union(*(every_name(attribute.g) for attribute in one.attribute if attribute.HasField("g")))
    return names - {""}


def test_short_names_are_short_and_those_of_inputs_and_outputs_stay() -> None:
    made = nested()
    shorten_names(made)
    fixed = {value.name for value in (*made.graph.input, *made.graph.output)}
    assert fixed == {"x", "default", "other", "flag", "second", "first", "inner", "outer"}
    own = every_name(made.graph) - fixed
    assert own
    assert all(name[0] == "t" and name[1:].isdigit() for name in own)


def test_nodes_follow_their_inputs() -> None:
    nodes = [node("Exp", "x", "first"), node("Abs", "first", "last"), node("Neg", "default", "place")]
    made = model(nodes, "first last")
    compute_if(made, "flag", {"first": "place"})
    assert kinds(made) == ["Neg", "If", "Abs"]
