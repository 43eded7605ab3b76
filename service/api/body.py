"""The request body: read within its limit, then parsed and validated off the event loop."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.requests import ClientDisconnect

from service.api.problems import problems_in
from service.api.served import parts_of
from service.errors import BodyTooLarge, InvalidInput, MalformedBody, Problem, UnsupportedContentType
from service.numbers import named


class JsonBodyRoute(APIRoute):
    """Hands FastAPI a body that is validated already, so that no 16 MiB of JSON hold up the event loop."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Read and validate the body, then do as any route does."""
        handle = super().get_route_handler()
        assert self.body_field is not None  # noqa: S101  (the class is for routes with a body)
        model = self.body_field.field_info.annotation
        assert isinstance(model, type)  # noqa: S101
        assert issubclass(model, BaseModel)  # noqa: S101

        async def read_then_handle(request: Request) -> Response:
            body = await read(request, parts_of(request).settings.max_body_bytes)
            return await handle(_Validated(request, body, await run_in_threadpool(parse, body, model)))

        return read_then_handle


class _Validated(Request):
    """A request whose body has been read; FastAPI leaves an instance of the model as it is."""

    def __init__(self, request: Request, body: bytes, instance: BaseModel) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body
        self._instance = instance

    async def json(self) -> BaseModel:
        return self._instance


async def read(request: Request, limit: int) -> bytes:
    """Read a JSON body of at most `limit` bytes, whether or not its length was announced.

    Raises:
        UnsupportedContentType: It is not announced as JSON.
        BodyTooLarge: As soon as that is known.
        MalformedBody: It breaks off.
    """
    _check_content_type(request)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and float(announced) > limit:
        raise BodyTooLarge(limit)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise BodyTooLarge(limit)
    except ClientDisconnect as error:
        raise MalformedBody("The body broke off before its end.") from error
    return bytes(body)


def parse(body: bytes, model: type[BaseModel]) -> BaseModel:
    """Make a validated instance of a JSON body.

    Raises:
        MalformedBody: It is not JSON.
        InvalidInput: It is JSON, but not what the model says; every problem is named.
    """
    try:
        value = from_json(body)
    except ValueError as error:
        raise _unreadable(body, str(error)) from error
    if not isinstance(value, dict):
        raise InvalidInput(Problem("", f"The body must be a JSON object; this is {named(value)}."))
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidInput(*problems_in(error.errors(include_url=False), model)) from error


def _check_content_type(request: Request) -> None:
    sent = request.headers.get("content-type", "")
    kind, _, options = sent.lower().partition(";")
    if kind.strip() != "application/json" or ("charset=" in options and "utf-8" not in options):
        raise UnsupportedContentType(
            f"The body must be JSON in UTF-8; this is {sent[:100]!r}. Send the header Content-Type: application/json."
        )
    coding = request.headers.get("content-encoding", "identity")
    if coding != "identity":
        raise UnsupportedContentType(f"The body must not be compressed; this is {coding[:100]!r}. Send it as it is.")


def _unreadable(body: bytes, reason: str) -> MalformedBody | InvalidInput:
    if not body.strip():
        return MalformedBody("The body is empty. Send a JSON object.")
    if reason.startswith("number out of range"):
        return InvalidInput(Problem("", f"A {reason}: it has too many digits. Send finite numbers of float64."))
    return MalformedBody(f"The body is not JSON that can be read: {reason}.")
