"""Which mutants of a module are tried: places drawn at random, and one mutation at each."""

import ast
import random
import re
from itertools import groupby
from pathlib import Path

import cosmic_ray.plugins
from cosmic_ray.commands.init import init
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import MutationSpec, WorkItem

from tests.mutation.operators import OPERATORS

cosmic_ray.plugins.OPERATOR_PROVIDERS["own"] = OPERATORS

SEED = "gdssm"
TRIVIAL = re.compile(
    r"RemoveDecorator|Comparison.*_Is(Not)?$|Comparison.*_(Is_Eq|IsNot_NotEq)$|Comparison.*_(Eq|NotEq)_(Lt|Gt)"
)
"""Mutations that nearly every test notices, or none can."""

Position = tuple[int, int]


def sample(module: Path, database: WorkDB, size: int) -> list[WorkItem]:
    """Draw mutants: the same ones for the same module, and of a larger size the smaller one's are part.

    Args:
        module: Its path from the root.
        database: Where to look for the mutants of the module, or to write them.
        size: How many.
    """
    if not database.num_work_items:
        init([module], database, {})
    unread = _unread(module.read_text())
    items = [
        item
        for item in database.work_items
        if not TRIVIAL.search(_of(item).operator_name)
        and not any(begin <= _of(item).start_pos < end for begin, end in unread)
    ]
    items.sort(key=lambda item: (_of(item).start_pos, _of(item).operator_name, _of(item).occurrence))
    places = [[*items] for _, items in groupby(items, key=lambda item: _of(item).start_pos)]
    draw = random.Random(f"{SEED} {module}")  # noqa: S311
    draw.shuffle(places)
    return [draw.choice(place) for place in places][:size]


def _of(item: WorkItem) -> MutationSpec:
    return item.mutations[0]


def _unread(source: str) -> list[tuple[Position, Position]]:
    """Find types, which are not read at run time, and `strict=True`, which repeats an earlier check."""
    found = []
    for node in ast.walk(ast.parse(source)):
        parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        parts += [node.value] if isinstance(node, ast.keyword) and node.arg == "strict" else []
        found += [
            ((part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0))
            for part in parts
            if isinstance(part, ast.expr)
        ]
    return found
