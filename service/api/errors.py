"""The one table from errors to status codes, and the one body that they all have."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from service import errors
from service.api.problems import path_of
from service.api.schemas import ErrorBody, ErrorDetail

logger = logging.getLogger(__name__)

STATUS: dict[type[errors.ServiceError], int] = {
    errors.MalformedBody: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.UnknownModel: 404,
    errors.UnknownContext: 404,
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


def documented(*possible: type[errors.ServiceError]) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route for its documentation; an unexpected one is always possible."""
    kinds: dict[int, list[type[errors.ServiceError]]] = {}
    for kind in possible:
        kinds.setdefault(status_of(kind), []).append(kind)
    texts = {status: " ".join(kind.__doc__ or "" for kind in group) for status, group in kinds.items()}
    texts[500] = "Something went wrong inside the service."
    return {status: {"model": ErrorBody, "description": text} for status, text in sorted(texts.items())}


def status_of(kind: type[errors.ServiceError]) -> int:
    """Look an error up in the table."""
    return next(STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in STATUS)


def answer_to(error: errors.ServiceError) -> Response:
    """Make the response to an error; what stands before the routes sends it by itself."""
    detail = None if error.detail is None else [ErrorDetail(**entry) for entry in error.detail]
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    body = ErrorBody(error=str(error), error_type=error.error_type, detail=detail)
    return _answer(status_of(type(error)), body, headers)


async def _on_service_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, errors.ServiceError)  # noqa: S101  (installed for these)
    return answer_to(error)


async def _on_invalid_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  (installed for these)
    problems = [errors.Problem(path_of(found["loc"]), f"is refused: {found['msg']}.") for found in error.errors()]
    return await _on_service_error(request, errors.InvalidInput(*problems))


async def _on_framework_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (installed for these)
    text, kind = FRAMEWORK.get(error.status_code, error.detail), HTTPStatus(error.status_code).name.lower()
    return _answer(error.status_code, ErrorBody(error=text, error_type=kind, detail=None), error.headers)


async def _on_unexpected(request: Request, error: Exception) -> Response:
    """Say nothing of the cause to the caller; the server logs the traceback, this line says to which request."""
    logger.error("%s %s failed: %s", request.method, request.url.path, type(error).__name__)
    body = ErrorBody(error=UNEXPECTED, error_type="internal_error", detail=None)
    return _answer(500, body)


def _answer(status: int, body: ErrorBody, headers: Any = None) -> Response:  # noqa: ANN401  (starlette's own)
    return Response(body.model_dump_json(), status, headers, media_type="application/json")
