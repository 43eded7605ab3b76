"""Route templates of requests that a middleware refused, for logs and metrics."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from fastapi import FastAPI
from starlette.types import Scope

UNMATCHED = "unmatched"


class RouteTemplate(NamedTuple):
    """The address and the methods of one route."""

    path: str
    matches: re.Pattern[str]
    methods: frozenset[str]
    """Empty for WebSockets and mounted apps."""


class RouteTemplates:
    """Finds the route template of a request; the templates are collected at the first look-up.

    Args:
        app: Has the routes.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._templates: tuple[RouteTemplate, ...] | None = None

    def of(self, scope: Scope) -> str:
        """Return the template of a request; `unmatched` if there is none."""
        if self._templates is None:
            self._templates = tuple(_templates(self._app.routes))
        path, method = scope["path"], scope.get("method", "")
        matching = [template for template in self._templates if template.matches.match(path)]
        allowing = [one for one in matching if method in one.methods or not (method and one.methods)]
        return (allowing or matching)[0].path if matching else UNMATCHED


def _templates(routes: Iterable[Any]) -> Iterator[RouteTemplate]:
    for route in routes:
        if hasattr(route, "effective_candidates"):  # a router that FastAPI included
            yield from _templates(route.effective_candidates())
        else:
            leaf = getattr(route, "starlette_route", None) or route
            yield RouteTemplate(leaf.path, leaf.path_regex, frozenset(getattr(leaf, "methods", None) or ()))
