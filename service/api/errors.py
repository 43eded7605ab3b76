"""The one table from errors to status codes, and the one body that they all have."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from service import errors
from service.api.problems import path_of
from service.observability.request_stats import current
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
"""What the framework refuses by itself."""

UNEXPECTED = "Something went wrong inside the service; it is in the service's log."


def install(app: FastAPI) -> None:
    """Answer every error of an app with the one body."""
    app.add_exception_handler(errors.ServiceError, _on_service_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_parameters)
    app.add_exception_handler(HTTPException, _on_framework_error)
    app.add_exception_handler(Exception, _on_unexpected)
    app.router.default = _on_unknown_address


def documented(*possible: type[errors.ServiceError]) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route for its documentation; an unexpected one is always possible.

    Only that one names the body, and `openapi` gives it to the others: what FastAPI makes of the name in every answer
    of every route was a twentieth of the start.
    """
    kinds: dict[int, list[type[errors.ServiceError]]] = {}
    for kind in possible:
        kinds.setdefault(status_of(kind), []).append(kind)
    texts = {status: " ".join(kind.__doc__ or "" for kind in group) for status, group in kinds.items()}
    texts[500] = "Something went wrong inside the service."
    answers: dict[int | str, dict[str, Any]] = {status: {"description": texts[status]} for status in sorted(texts)}
    answers[500]["model"] = ErrorBody
    return answers


def status_of(kind: type[errors.ServiceError]) -> int:
    """Look an error up in the table."""
    return next(STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in STATUS)


def answer_to(error: errors.ServiceError) -> Response:
    """Make the response to an error; what stands before the routes sends it by itself."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(status_of(type(error)), body_of(error), headers)


def unexpected() -> Response:
    """Make the answer to an exception that nobody foresaw; it says nothing of the cause, the log does."""
    return _answer(500, ErrorBody(error=UNEXPECTED, error_type="internal_error", detail=None))


def body_of(error: errors.ServiceError) -> ErrorBody:
    """Write an error down as it is sent."""
    detail = None if error.detail is None else [ErrorDetail(**entry) for entry in error.detail]
    return ErrorBody(error=str(error), error_type=error.error_type, detail=detail)


async def _on_unknown_address(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse an address without a route; of WebSockets the framework would end the handshake with an empty 403."""
    kind = HTTPStatus(404).name.lower()
    await _answer(404, ErrorBody(error=FRAMEWORK[404], error_type=kind, detail=None))(scope, receive, send)


async def _on_service_error(_: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, errors.ServiceError)  # noqa: S101  (installed for these)
    return answer_to(error)  # to a WebSocket as the denial of its handshake; what goes wrong later is told in a message


async def _on_invalid_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  (installed for these)
    problems = [errors.Problem(path_of(found["loc"]), f"is refused: {found['msg']}.") for found in error.errors()]
    return await _on_service_error(request, errors.InvalidInput(*problems))


async def _on_framework_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (installed for these)
    text, kind = FRAMEWORK.get(error.status_code, error.detail), HTTPStatus(error.status_code).name.lower()
    return _answer(error.status_code, ErrorBody(error=text, error_type=kind, detail=None), error.headers)


async def _on_unexpected(_request: Request, _error: Exception) -> Response:
    return unexpected()


def _answer(status: int, body: ErrorBody, headers: Any = None) -> Response:  # noqa: ANN401  (starlette's own)
    record = current()
    if record is not None:
        record.cause = body.error_type
    return Response(body.model_dump_json(), status, headers, media_type="application/json")
