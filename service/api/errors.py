"""Errors as HTTP responses: the status code of each error, and the body that all errors have."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from service import errors
from service.api.rate_limit_headers import headers_for
from service.api.validation_problems import problems_of_parameters
from service.observability.request_stats import CURRENT_STATS
from service.schemas.errors import ErrorBody, ErrorDetail

STATUS: dict[type[errors.ServiceError], int] = {
    errors.MalformedBody: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.ForeignSite: 403,
    errors.UnknownModel: 404,
    errors.UnknownContext: 404,
    errors.UnknownEvaluation: 404,
    errors.TooSlow: 408,
    errors.Conflict: 409,
    errors.VersionMismatch: 412,
    errors.BodyTooLarge: 413,
    errors.UnsupportedContentType: 415,
    errors.InvalidInput: 422,
    errors.RateLimited: 429,
    errors.QuotaExceeded: 429,
    errors.NotReady: 503,
    errors.Overloaded: 503,
    errors.DatabaseUnavailable: 503,
    errors.ServiceError: 500,
}
"""An error has the status of its nearest ancestor here."""

FRAMEWORK = {
    404: "There is nothing at this address. The routes are listed at /docs.",
    405: "This address does not take this method. The routes are listed at /docs.",
}
"""Messages for errors that FastAPI raises."""

UNEXPECTED = "Something went wrong inside the service; it is in the service's log."


def install(app: FastAPI) -> None:
    """Register the exception handlers of an app."""
    app.add_exception_handler(errors.ServiceError, _on_service_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_parameters)
    app.add_exception_handler(HTTPException, _on_framework_error)
    app.add_exception_handler(Exception, _on_unexpected)
    app.router.default = _on_unknown_address


def documented(*possible: type[errors.ServiceError]) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of the errors of a route, including status 500.

    Only status 500 has the schema of the body; `openapi` adds it to the others. With a schema at every status of every
    route FastAPI took a twentieth of the start-up time longer.
    """
    by_status: dict[int, list[type[errors.ServiceError]]] = {}
    for kind in possible:
        by_status.setdefault(status_of(kind), []).append(kind)
    texts = {status: " ".join(kind.__doc__ or "" for kind in group) for status, group in by_status.items()}
    texts[500] = "Something went wrong inside the service."
    answers: dict[int | str, dict[str, Any]] = {status: {"description": texts[status]} for status in sorted(texts)}
    answers[500]["model"] = ErrorBody
    return answers


def status_of(kind: type[errors.ServiceError]) -> int:
    """Return the status code of an error class."""
    return next(STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in STATUS)


def answer_to(error: errors.ServiceError) -> Response:
    """Return the response to an error."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if isinstance(error, errors.RateLimited):
        quota = headers_for((error.a_minute, 0, error.retry_after))
        headers |= {name.decode(): value.decode() for name, value in quota}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(status_of(type(error)), body_of(error), headers)


def unexpected() -> Response:
    """Return the response to an uncaught exception, without its cause, which is logged."""
    return _answer(500, ErrorBody(error=UNEXPECTED, error_type="internal_error", detail=None))


def body_of(error: errors.ServiceError) -> ErrorBody:
    """Return the body of an error response."""
    detail = None if error.detail is None else [ErrorDetail(**entry) for entry in error.detail]
    return ErrorBody(error=str(error), error_type=error.error_type, detail=detail)


async def _on_unknown_address(scope: Scope, receive: Receive, send: Send) -> None:
    """Send 404 for an address without a route, also to WebSocket handshakes; FastAPI would send them an empty 403."""
    kind = HTTPStatus(404).name.lower()
    await _answer(404, ErrorBody(error=FRAMEWORK[404], error_type=kind, detail=None))(scope, receive, send)


async def _on_service_error(_: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, errors.ServiceError)  # noqa: S101  (installed for these)
    return answer_to(error)  # denies a WebSocket's handshake; later errors are sent as messages


async def _on_invalid_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  (installed for these)
    return await _on_service_error(request, errors.InvalidInput(*problems_of_parameters(error.errors())))


async def _on_framework_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (installed for these)
    text, kind = FRAMEWORK.get(error.status_code, error.detail), HTTPStatus(error.status_code).name.lower()
    headers = dict(error.headers or {})
    methods = headers.get("Allow", "").split(", ")
    if "GET" in methods:  # `middleware.head` answers HEAD at the same addresses
        headers["Allow"] = ", ".join(dict.fromkeys([*methods, "HEAD"]))
    return _answer(error.status_code, ErrorBody(error=text, error_type=kind, detail=None), headers)


async def _on_unexpected(_request: Request, _error: Exception) -> Response:
    return unexpected()


def _answer(status: int, body: ErrorBody, headers: Any = None) -> Response:  # noqa: ANN401  (starlette's own)
    stats = CURRENT_STATS.get()
    if stats is not None:
        stats.cause = body.error_type
    return Response(body.model_dump_json(), status, headers, media_type="application/json")
