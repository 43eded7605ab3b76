"""A class name has one meaning in the sources."""

import ast
from collections import defaultdict

import pytest

from tests.running import ROOT

PACKAGES = ("gdssm", "export", "service", "clients/python/gdssm_client")
SHARED = {
    "Conflict": "the client raises it where the service answers with this error",
    "Engine": "what the client computes with, and what a dataset is computed on",
    "Task": "of an evaluation, and of an engine",
    "InvalidInput": "the client raises it where the service answers with this error",
}
"""Names of two classes, with the reason."""


def class_names() -> dict[str, list[str]]:
    """List the places of each class, private and nested ones included."""
    found = defaultdict(list)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text()
            if ".ci/client_sources.py" in text.partition("\n")[0]:  # the client's copies of the service's classes
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef):
                    found[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


@pytest.mark.slow
def test_no_class_name_is_defined_twice() -> None:
    repeated = {name: places for name, places in class_names().items() if len(places) > 1}
    assert {name: places for name, places in repeated.items() if name not in SHARED} == {}
