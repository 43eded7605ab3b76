"""The definitions of modules of this project, and which others each of them uses: for `client_sources`."""

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGES = ("service", "gdssm")
CLIENTS_TABLE_SCHEMA = (
    (r"from pydantic\.dataclasses import dataclass", "from dataclasses import dataclass"),
    (", config=config", ""),
    (r"Annotated\[str, Field\(max_length=TEXT_LENGTH_LIMIT\)\]", "str"),
    (r"Annotated\[(.+?), FailFast\(\)\]", r"\1"),
    (r"(?s)\n    def as_json.*?(?=\n\n\nSCHEMA)", ""),
)
REPLACEMENTS = {"service/tables/schema.py": CLIENTS_TABLE_SCHEMA}
"""Patterns by module: the client has no pydantic, and reads no schema from elsewhere."""

Global = tuple[str, str]
"""The path of a module, and a name in it; the name is empty for the module itself."""
Needed = Mapping[str, Collection[str]]
"""Names by the paths of their modules."""


class Definition(NamedTuple):
    """A statement that defines names, with the text under it."""

    line: int
    text: str
    uses: frozenset[str]
    """Names of the module, and `drift.average` for names of a module that it imports."""


class Module:
    """A module by its path in the repository."""

    def __init__(self, path: str) -> None:
        text = (ROOT / path).read_text(encoding="utf-8")
        for pattern, replacement in REPLACEMENTS.get(path, ()):
            text = re.sub(pattern, replacement, text)
        self.libraries: list[str] = []
        """Statements that import other packages."""
        self.imports: dict[str, Global] = {}
        """From this project, by the name in this module."""
        self.definitions: dict[str, Definition] = {}
        body = ast.parse(text).body[1:]
        for node, following in zip_longest(body, body[1:]):
            if isinstance(node, ast.Import):
                self.libraries.append(ast.unparse(node))
            elif isinstance(node, ast.ImportFrom):
                self._import(node)
            elif not isinstance(node, ast.Expr):
                self._define(node, following, text.splitlines())

    def _import(self, node: ast.ImportFrom) -> None:
        source = (node.module or "").replace(".", "/")
        if source.split("/")[0] not in PACKAGES:
            self.libraries.append(ast.unparse(node))
            return
        for name in node.names:
            path = f"{source}/{name.name}.py"
            found = (path, "") if (ROOT / path).exists() else (f"{source}.py", name.name)
            self.imports[name.asname or name.name] = found

    def _define(self, node: ast.stmt, following: ast.stmt | None, lines: list[str]) -> None:
        start = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
        end = (following if isinstance(following, ast.Expr) else node).end_lineno
        found = Definition(start, "\n".join(lines[start - 1 : end]), frozenset(_uses(node)))
        for name in _names(node):
            self.definitions[name] = found

    def needs(self, path: str, name: str) -> Iterator[Global]:
        """List the names of this project that a definition uses.

        Args:
            path: Of this module.
            name: Of the definition.
        """
        for use in self.definitions[name].uses:
            before, dot, after = use.partition(".")
            if dot and self.imports.get(before, ("", " "))[1] == "":
                yield self.imports[before][0], after
            elif use in self.definitions:
                yield path, use
            elif use in self.imports and self.imports[use][1]:
                yield self.imports[use]


@cache
def module(path: str) -> Module:
    """Read a module once."""
    return Module(path)


def closure(roots: Needed, places: Mapping[Global, str]) -> dict[str, set[str]]:
    """Find all definitions that some names need, themselves included.

    Args:
        roots: The names.
        places: Where names are that need not be found.
    """
    found: dict[str, set[str]] = defaultdict(set)
    waiting = [(path, name) for path, names in roots.items() for name in names]
    while waiting:
        path, name = waiting.pop()
        if (path, name) not in places and name not in found[path]:
            found[path].add(name)
            waiting += module(path).needs(path, name)
    return {path: names for path, names in found.items() if names}


def combined(parts: Needed, here: str, places: Mapping[Global, str]) -> str:
    """Write definitions of some modules as one, without a docstring; it may have imports that it does not use.

    Args:
        parts: The names.
        here: The dotted name of the new module.
        places: The dotted names of the modules where names of this project are.
    """
    imports, texts = list[str](), list[str]()
    for path, names in parts.items():
        source = module(path)
        others = {name: (path, name) for name in source.definitions} | source.imports
        imports += [*source.libraries, *_imports(others, here, places)]
        texts += [text for _, text in sorted({source.definitions[name][:2] for name in names})]
    return "\n".join([*dict.fromkeys(imports), *texts]) + "\n"


def _imports(names: Mapping[str, Global], here: str, places: Mapping[Global, str]) -> Iterator[str]:
    modules = {path: place for (path, _), place in places.items() if place.endswith(f".{Path(path).stem}")}
    for local, (path, name) in names.items():
        place = places.get((path, name)) if name else modules.get(path)
        if place is not None and place != here:
            source, _, found = (place, "", name) if name else place.rpartition(".")
            yield f"from {source} import {found}" + (f" as {local}" if local != found else "")


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return {str(getattr(node, "name", ""))}


def _uses(node: ast.AST) -> set[str]:
    """List the names that a statement uses and does not define itself."""
    if isinstance(node, ast.ClassDef):
        return set[str]().union(*map(_uses, ast.iter_child_nodes(node)))
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    own = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    own |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
    dotted = {
        f"{part.value.id}.{part.attr}"
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id not in own
    }
    return {name.id for name in names} - own | dotted | _annotations(node)


def _annotations(node: ast.AST) -> set[str]:
    """List the names in annotations, which a parameter of the same name does not hide."""
    parts = [
        annotation
        for part in ast.walk(node)
        for annotation in (getattr(part, "annotation", None), getattr(part, "returns", None))
        if annotation is not None
    ]
    return {name.id for part in parts for name in ast.walk(part) if isinstance(name, ast.Name)}
