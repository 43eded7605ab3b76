"""The template of the address of a request that was refused before it came to the routes."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from fastapi import FastAPI
from starlette.types import Scope

UNMATCHED = "unmatched"


class Template(NamedTuple):
    """One route, as far as its address goes."""

    path: str
    matches: re.Pattern[str]
    methods: frozenset[str]
    """Empty for WebSockets and mounted apps."""


class Templates:
    """Finds templates; made when the first one is looked for, since most services refuse nothing.

    Args:
        app: Whose routes are looked through.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._known: tuple[Template, ...] | None = None

    def of(self, scope: Scope) -> str:
        """Find the template of a request; `unmatched` if there is none."""
        if self._known is None:
            self._known = tuple(_templates(self._app.routes))
        path, method = scope["path"], scope.get("method", "")
        found = [known for known in self._known if known.matches.match(path)]
        own = [known for known in found if method in known.methods or not (method and known.methods)]
        return (own or found)[0].path if found else UNMATCHED


def _templates(routes: Iterable[Any]) -> Iterator[Template]:
    for route in routes:
        if hasattr(route, "effective_candidates"):  # an included router of FastAPI's
            yield from _templates(route.effective_candidates())
        else:
            known = getattr(route, "starlette_route", None) or route
            yield Template(known.path, known.path_regex, frozenset(getattr(known, "methods", None) or ()))
