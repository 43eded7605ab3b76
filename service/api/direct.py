"""Routes answered without the framework: for requests so frequent and so short that its care is half of their time.

FastAPI works out for every request what its route needs, in general: parameters, dependencies and what they depend on,
stacks of what has to be closed again. A prediction needs its body, perhaps a name in its path, and parts of the
service. So this reads the body as the route does, and calls the same endpoint with the same values; the route remains
as the documentation, and answers where requests are traced.
"""

from collections.abc import Iterable
from typing import Any

from fastapi import Request, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.body import JsonBodyRoute
from service.api.errors import answer_to
from service.api.served import LookUp
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
        needs = route.dependant
        self.route = route
        self.matches = route.path_regex.fullmatch
        self.methods = route.methods or set()
        self._endpoint: Any = route.endpoint
        self._body = route.body_field.name
        self._model: Any = route.body_field.field_info.annotation
        self._look_ups = [(part.name, part.call.find) for part in needs.dependencies if isinstance(part.call, LookUp)]
        self._asking = needs.request_param_name

    async def to(self, request: Request, path: dict[str, Any]) -> Response:
        """Do what the framework would do, with less care."""
        _, instance = await self.route.read(request, self._model)
        given = {**path, self._body: instance}
        for name, find in self._look_ups:
            given[str(name)] = find(request)
        if self._asking is not None:
            given[self._asking] = request
        answer: Response = await self._endpoint(**given)
        return answer


def is_direct(route: JsonBodyRoute) -> bool:
    """See that a route needs nothing that only the framework can make out."""
    needs = route.dependant
    from_elsewhere = (
        *(needs.query_params, needs.header_params, needs.cookie_params),
        *(needs.response_param_name, needs.background_tasks_param_name, needs.http_connection_param_name),
    )
    texts = all(param.field_info.annotation is str for param in needs.path_params)
    looked_up = all(isinstance(part.call, LookUp) for part in needs.dependencies)
    return route.body_field is not None and texts and looked_up and not any(from_elsewhere)
