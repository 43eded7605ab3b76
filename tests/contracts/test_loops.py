"""A loop over an empty iterable checks nothing, so iterables of loops with assertions must be known not to be empty."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import ROOT

FILES = sorted((ROOT / "tests").rglob("test_*.py"))
THROUGH = {"enumerate", "sorted", "reversed", "list", "tuple", "cycle", "items", "values", "keys", "product", "set"}
"""Calls that give as many elements as they get, or none where they get none."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def empty_loops(source: str) -> list[str]:
    """Find the assertions in loops over what may be empty.

    An iterable is known not to be empty where it is written down with an element, is a constant of the module, a range
    of constants, `nonempty(…)`, or where an assertion of the same function compares it or asserts it as such. What a
    comprehension filters is not.
    """
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, Function)]
    return [
        f"line {loop.lineno}: {ast.unparse(loop.iter) if isinstance(loop, ast.For) else ast.unparse(loop)}"
        for function in functions
        for loop, iterables in _loops(function)
        if not all(_is_nonempty(iterable, function) for iterable in iterables)
    ]


def _loops(function: Function) -> Iterator[tuple[ast.For | ast.Call, list[ast.expr]]]:
    """Loops with an assertion inside, and calls of `all` in an assertion; of each what it goes through."""
    for node in ast.walk(function):
        if isinstance(node, ast.For) and any(isinstance(inner, ast.Assert) for inner in ast.walk(node)):
            yield node, [node.iter]
        elif isinstance(node, ast.Assert):
            for call in ast.walk(node.test):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "all":
                    parts = getattr(call.args[0], "generators", [])
                    yield call, [part.iter for part in parts]


def _is_nonempty(node: ast.expr, function: Function) -> bool:
    if _is_constant(node) or _is_asserted(node, function):
        return True
    if isinstance(node, ast.Call):
        return _gives_something(node, function)
    return any(_is_nonempty(part, function) for part in _parts(node, function))


def _is_constant(node: ast.expr) -> bool:
    """Check whether the expression has a literal element or is the name of a module constant."""
    match node:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return any(not isinstance(part, ast.Starred) for part in parts)
        case ast.Dict(keys=keys):
            return bool(keys)
        case ast.Constant(value=str(text)) | ast.Name(id=text) | ast.Attribute(attr=text):
            return text.isupper() or (isinstance(node, ast.Constant) and bool(text))
    return False


def _parts(node: ast.expr, function: Function) -> list[ast.expr]:
    """List what the elements of an expression come from."""
    match node:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return [part.value for part in parts if isinstance(part, ast.Starred)]
        case ast.Name(id=name):
            return _assigned(name, function)
        case ast.BinOp(left=left, op=ast.Add() | ast.BitOr(), right=right):
            return [left, right]
    return []


def _gives_something(call: ast.Call, function: Function) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
    parts = call.args or ([call.func.value] if isinstance(call.func, ast.Attribute) else [])
    known = [_is_nonempty(part, function) for part in parts]
    if name == "range":
        return all(isinstance(part, ast.Constant) or ast.unparse(part).isupper() for part in parts)
    if name == "zip":
        return any(known) and "strict" in {keyword.arg for keyword in call.keywords}
    return name in {"nonempty", "count"} or (name in THROUGH and bool(parts) and all(known))


def _assigned(name: str, function: Function) -> list[ast.expr]:
    return [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]
    ]


def _is_asserted(node: ast.expr, function: Function) -> bool:
    """Check whether an assertion of the function compares an expression, its length or a collection of it."""
    text = ast.unparse(node)
    forms = {text, f"len({text})", f"set({text})", f"[*{text}]", f"list({text})", f"{text}.keys()"}
    asserted = [part.test for part in ast.walk(function) if isinstance(part, ast.Assert)]
    tests = [part for test in asserted for part in (test.values if isinstance(test, ast.BoolOp) else [test])]
    sides = [
        side for test in tests for side in ([test.left, *test.comparators] if isinstance(test, ast.Compare) else [test])
    ]
    return any(ast.unparse(side) in forms for side in sides)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("for a in f():\n  assert a", ["line 2: f()"]),
        ("b = f()\n assert all(a for a in b)", ["line 3: all((a for a in b))"]),
        ("for a in range(len(b)):\n  assert a", ["line 2: range(len(b))"]),
        ("for a in zip(f(), g()):\n  assert a", ["line 2: zip(f(), g())"]),
        ("for a in [*b]:\n  assert a", ["line 2: [*b]"]),
        ("for a in (1, f()):\n  assert a", []),
        ("for a in nonempty(f()):\n  assert a", []),
        ("for a in zip(range(3), g(), strict=True):\n  assert a", []),
        ("b = f()\n assert len(b) == 3\n for a in b:\n  assert a", []),
        ("for a in f():\n  g(a)", []),
    ],
)
def test_check_distinguishes_iterables_that_may_be_empty(body: str, expected: list[str]) -> None:
    assert empty_loops(f"def test():\n {body}\n") == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_assertion_is_in_a_loop_that_may_be_empty(path: Path) -> None:
    found = empty_loops(path.read_text())
    assert not found, "assert first that there is something, or go through nonempty(…)\n" + "\n".join(found)
