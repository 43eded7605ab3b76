"""Routes answered without the framework: for requests so frequent and so short that its care is half of their time.

FastAPI works out for every request what its route needs, in general: parameters, dependencies and what they depend on,
stacks of what has to be closed again. A prediction needs its body, perhaps a name in its path, and parts of the
service. So this reads the body as the route does, and calls the same endpoint with the same values; the route remains
as the documentation, and answers where requests are traced.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.body import JsonBodyRoute
from service.api.errors import answer_to
from service.errors import ServiceError


class Direct:
    """Wraps an app; stands behind whatever lets requests in.

    Args:
        app: Answers everything else.
        routes: Those of them are taken that have a body, make their answer whole, and need nothing of the request but
            that and texts of its path.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._answers = [_Answer(route) for route in routes if isinstance(route, JsonBodyRoute) and is_direct(route)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, if the address is one of the routes'."""
        if scope["type"] == "http":
            path, method = scope["path"], scope["method"]
            for answer in self._answers:
                found = answer.matches(path)
                if found is not None and method in answer.methods:
                    scope["route"] = answer.route
                    try:
                        response = await answer.to(Request(scope, receive), found.groupdict())
                    except ServiceError as error:
                        response = answer_to(error)
                    await response(scope, receive, send)
                    return
        await self._app(scope, receive, send)


class _Answer:
    """One route's endpoint, and what it is called with."""

    def __init__(self, route: JsonBodyRoute) -> None:
        assert route.body_field is not None  # noqa: S101
        self.route = route
        self.matches = route.path_regex.fullmatch
        self.methods = route.methods or set()
        self._body = route.body_field.name
        self._model: Any = route.body_field.field_info.annotation
        self._call = _calling(route.dependant)

    async def to(self, request: Request, path: dict[str, Any]) -> Response:
        """Do what the framework would do, with less care."""
        _, instance = await self.route.read(request, self._model)
        answer: Response = await self._call(request, {**path, self._body: instance})
        return answer


def is_direct(route: JsonBodyRoute) -> bool:
    """See that a route needs nothing that only the framework can make out."""
    return route.body_field is not None and _is_plain(route.dependant)


def _is_plain(needs: Dependant) -> bool:
    from_elsewhere = (needs.query_params, needs.header_params, needs.cookie_params, needs.response_param_name)
    texts = all(param.field_info.annotation is str for param in needs.path_params)
    return texts and not any(from_elsewhere) and all(map(_is_plain, needs.dependencies))


def _calling(needs: Dependant) -> Callable[[Request, dict[str, Any]], Awaitable[Any]]:
    """Make what calls a function with the request, with what is given, and with what its dependencies return."""
    function: Any = needs.call
    asking = needs.request_param_name or needs.http_connection_param_name
    parts = [(str(part.name), _calling(part)) for part in needs.dependencies]
    if asking is not None and not parts:
        return lambda request, given: function(**{asking: request}, **given)

    async def call(request: Request, given: dict[str, Any]) -> Any:  # noqa: ANN401  (whatever the function returns)
        if asking is not None:
            given[asking] = request
        for name, find in parts:
            given[name] = await find(request, {})
        return await function(**given)

    return call
