"""Parts of a graph that are computed on a condition: nodes moved into a branch of an If.

torch traces one path; the nodes that only some tensors need are found in the graph.
"""

from collections.abc import Iterable, Mapping

import onnx
from onnx import helper


def compute_if(model: onnx.ModelProto, condition: str, otherwise: Mapping[str, str]) -> None:
    """Compute some tensors only where a condition holds.

    Args:
        model: Changed in place; its nodes are sorted again.
        condition: A boolean tensor () of the graph; it does not depend on these tensors.
        otherwise: For each of the tensors, its replacement where the condition does not hold.
    """
    graph = model.graph
    producers = {name: node for node in graph.node for name in node.output}
    kept = {value.name for value in graph.output if value.name not in otherwise}
    kept |= {name for node in graph.node for name in _needs(node) if name in otherwise}  # read after the branch
    needed = _ancestors(kept | {condition, *otherwise.values()}, producers, stop=set(otherwise))
    own = _ancestors(otherwise, producers, stop=set())
    outside = [node for node in graph.node if id(node) in needed or id(node) not in own]
    # Nodes that depend on the tensors and are needed both in the branch and after it are in both places.
    after = _descendants(otherwise, graph.node)
    shared = [node for node in graph.node if id(node) in own & needed & after]
    twice = {id(node) for node in shared}
    inside = [
        _copy(node) if id(node) in twice else node
        for node in graph.node
        if id(node) in own and (id(node) in twice or id(node) not in needed)
    ]
    computed = {name: f"{name}.computed" for name in (*otherwise, *(out for node in shared for out in node.output))}
    for node in inside:
        _rename(node, computed)
    branches = {
        "then_branch": _branch("computed", inside, [computed[name] for name in otherwise]),
        "else_branch": _branch(
            "left_out",
            [helper.make_node("Identity", [source], [f"{name}.left_out"]) for name, source in otherwise.items()],
            [f"{name}.left_out" for name in otherwise],
        ),
    }
    outside.append(helper.make_node("If", [condition], list(otherwise), **branches))
    del graph.node[:]
    graph.node.extend(_sorted(outside))


def shorten_names(model: onnx.ModelProto) -> None:
    """Shorten the names of all tensors but inputs, outputs and defaults, and remove those of nodes."""
    graph = model.graph
    fixed = {value.name for value in (*graph.input, *graph.output)}
    names: dict[str, str] = {}

    def short(name: str) -> str:
        return name if not name or name in fixed else names.setdefault(name, f"t{len(names)}")

    def shorten(graph: onnx.GraphProto) -> None:
        for value in (*graph.initializer, *graph.output):
            value.name = short(value.name)
        for node in graph.node:
            node.name = ""
            node.input[:], node.output[:] = map(short, node.input), map(short, node.output)
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.GRAPH:
                    shorten(attribute.g)

    shorten(graph)


def _needs(node: onnx.NodeProto) -> set[str]:
    """The inputs of a node, those of its branches included."""
    names = set(node.input)
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            made = {name for inner in attribute.g.node for name in inner.output}
            names |= {name for inner in attribute.g.node for name in _needs(inner)} - made
    return names


def _ancestors(names: Iterable[str], producers: Mapping[str, onnx.NodeProto], stop: set[str]) -> set[int]:
    """The ids of the nodes that compute tensors, without those before the tensors in `stop`."""
    found: set[int] = set()
    waiting = [name for name in names if name not in stop]
    while waiting:
        node = producers.get(waiting.pop())
        if node is not None and id(node) not in found:
            found.add(id(node))
            waiting.extend(_needs(node) - stop)
    return found


def _descendants(names: Iterable[str], nodes: Iterable[onnx.NodeProto]) -> set[int]:
    """The ids of the nodes that depend on tensors; nodes must be in order."""
    reached, found = set(names), set()
    for node in nodes:
        if _needs(node) & reached:
            found.add(id(node))
            reached |= set(node.output)
    return found


def _copy(node: onnx.NodeProto) -> onnx.NodeProto:
    """Copy a node."""
    duplicate = onnx.NodeProto()
    duplicate.CopyFrom(node)
    return duplicate


def _rename(node: onnx.NodeProto, names: Mapping[str, str]) -> None:
    """Rename inputs and outputs of a node and of its branches."""
    node.input[:] = [names.get(name, name) for name in node.input]
    node.output[:] = [names.get(name, name) for name in node.output]
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            for inner in attribute.g.node:
                _rename(inner, names)


def _branch(name: str, nodes: Iterable[onnx.NodeProto], outputs: Iterable[str]) -> onnx.GraphProto:
    """Make a branch of an If: a graph without inputs, whose outputs are in double precision."""
    values = [helper.make_tensor_value_info(output, onnx.TensorProto.DOUBLE, None) for output in outputs]
    return helper.make_graph(list(nodes), name, [], values)


def _sorted(nodes: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Order nodes after their inputs, otherwise unchanged."""
    made = {name for node in nodes for name in node.output}
    there: set[str] = set()
    ordered: list[onnx.NodeProto] = []
    while nodes:
        later = []
        for node in nodes:
            if _needs(node) & made <= there:
                ordered.append(node)
                there |= set(node.output)
            else:
                later.append(node)
        assert len(later) < len(nodes)  # noqa: S101  (a graph has no cycles)
        nodes = later
    return ordered
