"""Endpoints: how an address is described, and how requests for it are answered.

An endpoint says its method, path, body (with its codecs by content type), handler, errors and documentation. Each
becomes a route of FastAPI, and a part of the OpenAPI document. Those marked `fast` are answered by the `EndpointTable`
in front of FastAPI instead, which calls the same handler with the same body: on one core a small prediction takes half
of the time that it takes through FastAPI's resolution of dependencies (`benchmarks/serving`).
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from opentelemetry import trace
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.body import Body
from service.api.errors import answer_to, documented
from service.errors import ServiceError

Handler = TypeVar("Handler", bound=Callable[..., Any])
Responses = dict[int | str, dict[str, Any]]


@dataclass(frozen=True)
class Endpoint:
    """One method of one address."""

    method: str
    path: str
    """A template, such as `/v1/contexts/{context_id}`."""
    handler: Callable[..., Any]
    body: Body[Any] | None = None
    fast: bool = False
    """Whether the handler takes `request`, `body` and texts of the path, and no other dependencies."""


class EndpointRouter(APIRouter):
    """FastAPI's router, which keeps its endpoints as a list.

    Args:
        prefix: Of all paths.
        tag: In the documentation.
    """

    def __init__(self, prefix: str, tag: str) -> None:
        super().__init__(prefix=prefix, tags=[tag])
        self.endpoints: list[Endpoint] = []

    def endpoint(
        self,
        method: str,
        path: str,
        *,
        errors: Iterable[type[ServiceError]] = (),
        responses: Responses | None = None,
        body: Body[Any] | None = None,
        fast: bool = False,
        **options: Any,  # noqa: ANN401  (FastAPI's own)
    ) -> Callable[[Handler], Handler]:
        """Register a handler.

        Args:
            method: Of HTTP.
            path: Below the prefix.
            errors: What the endpoint may answer, besides an unexpected error.
            responses: Further documentation by status.
            body: Of the request.
            fast: Whether to answer in front of FastAPI.
            options: As `APIRouter.add_api_route` takes them.
        """

        def register(handler: Handler) -> Handler:
            self.endpoints.append(Endpoint(method, self.prefix + path, handler, body, fast))
            self.add_api_route(
                path,
                handler,
                methods=[method],
                responses=documented(*errors) | (responses or {}),
                openapi_extra={"requestBody": body.documentation} if body else None,
                **options,
            )
            return handler

        return register


class EndpointTable:
    """Middleware that answers fast endpoints; the innermost one in front of FastAPI.

    Args:
        app: Answers all other requests.
        endpoints: Of the service.
        traced: Whether requests have spans, which then are named after the endpoint.
    """

    def __init__(self, app: ASGIApp, endpoints: Iterable[Endpoint], *, traced: bool) -> None:
        self._app = app
        self._traced = traced
        fast = (endpoint for endpoint in endpoints if endpoint.fast and endpoint.body)
        self._entries = [(compile_path(endpoint.path)[0].fullmatch, endpoint) for endpoint in fast]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a request, or pass it on."""
        if scope["type"] == "http":
            path, method = scope["path"], scope["method"]
            for matches, endpoint in self._entries:
                found = matches(path)
                if found is not None and method == endpoint.method:
                    scope["path_params"] = found.groupdict()
                    scope["route"] = endpoint
                    return self._answer(endpoint, scope, receive, send)
        return self._app(scope, receive, send)

    async def _answer(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        if self._traced:
            span = trace.get_current_span()
            span.update_name(f"{endpoint.method} {endpoint.path}")
            span.set_attribute("http.route", endpoint.path)
        request = Request(scope, receive)
        try:
            assert endpoint.body is not None  # noqa: S101  (as the table was made)
            body = await endpoint.body(request)
            response: Response = await endpoint.handler(request=request, body=body, **scope["path_params"])
        except ServiceError as error:
            response = answer_to(error)
        await response(scope, receive, send)
