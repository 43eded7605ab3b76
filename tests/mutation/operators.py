"""Mutations that cosmic-ray does not have: a statement that is left out, a message without its last sentence."""

import re
from collections.abc import Iterator
from typing import Any

import parso
from cosmic_ray.operators.operator import Operator

Positions = Iterator[tuple[tuple[int, int], tuple[int, int]]]

LAST_SENTENCE = re.compile(r"(?<=[.;]) [A-Z][^.]*\.?(?=[\"']*$)")


class DeleteStatement(Operator):  # type: ignore[misc]
    """Leaves out a call, a raise, or a change of something that exists; without others a name would be missing."""

    def mutation_positions(self, node: Any) -> Positions:  # noqa: ANN401  (parso has no types)
        """Find the statement."""
        if node.type == "simple_stmt" and _changes(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Any, index: int) -> Any:  # noqa: ANN401, ARG002
        """Write `pass` in its place."""
        leaf = node.children[0].get_first_leaf()
        node.children[0] = parso.python.tree.Keyword("pass", leaf.start_pos, leaf.prefix)
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        """Return none."""
        return ()


class CutLastSentence(Operator):  # type: ignore[misc]
    """Leaves the last sentence of a message out."""

    def mutation_positions(self, node: Any) -> Positions:  # noqa: ANN401
        """Find the text."""
        documents = node.parent is not None and node.parent.type == "simple_stmt"
        if node.type in {"string", "fstring_string"} and not documents and LAST_SENTENCE.search(node.value):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:  # noqa: ANN401, ARG002
        """Cut it."""
        node.value = LAST_SENTENCE.sub("", node.value)
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        """Return none."""
        return ()


OPERATORS: dict[str, type[Operator]] = {kind.__name__: kind for kind in (DeleteStatement, CutLastSentence)}


def _changes(statement: Any) -> bool:  # noqa: ANN401
    if statement.type != "expr_stmt":
        return statement.type in {"atom_expr", "power", "raise_stmt", "del_stmt"}
    target, operator = statement.children[:2]
    return target.type in {"atom_expr", "power"} or (operator.type == "operator" and operator.value != "=")
