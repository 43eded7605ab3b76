"""The request body: read within its limit, then parsed and validated off the event loop."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.requests import ClientDisconnect

from service.api.problems import problems_in
from service.api.served import parts_of
from service.api.work import BYTES_A_NUMBER
from service.errors import BodyTooLarge, InvalidInput, MalformedBody, Problem, UnsupportedContentType
from service.numbers import named

JSON = "application/json"
Body = TypeVar("Body", bound=BaseModel)


class JsonBodyRoute(APIRoute):
    """Hands FastAPI a body that is validated already, so that no 16 MiB of JSON hold up the event loop."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Read and validate the body, if the route takes one, then do as any route does."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle
        model = self.body_field.field_info.annotation
        assert isinstance(model, type)  # noqa: S101
        assert issubclass(model, BaseModel)  # noqa: S101

        async def read_then_handle(request: Request) -> Response:
            reader = self.reader(request, model)
            parts = parts_of(request)
            body = await receive(request, parts.settings.max_body_bytes)
            instance = await parts.pool.run(partial(reader, body), len(body) // BYTES_A_NUMBER)
            return await handle(_Validated(request, body, instance))

        return read_then_handle

    def reader(self, request: Request, model: type[BaseModel]) -> Callable[[bytes], BaseModel]:
        """Choose how a body becomes an instance of the route's model, by its headers; some routes take more than JSON.

        Raises:
            UnsupportedContentType: Not at all.
        """
        check_content_type(request, JSON)
        return partial(parse, model=model)


class BytesBodyRoute(APIRoute):
    """Hands FastAPI a body of bytes that is read already, within its limit."""

    content_type = "application/octet-stream"

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Read the body, if the route takes one, then do as any route does."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def read_then_handle(request: Request) -> Response:
            body = await read(request, parts_of(request).settings.max_body_bytes, self.content_type)
            if not body:
                raise MalformedBody("The body is empty. Send the bytes.")
            return await handle(_Read(request, body))

        return read_then_handle


class _Read(Request):
    """A request whose body has been read."""

    def __init__(self, request: Request, body: bytes) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body


class _Validated(_Read):
    """A request whose body has been validated too; FastAPI leaves an instance of the model as it is."""

    def __init__(self, request: Request, body: bytes, instance: BaseModel) -> None:
        super().__init__(request, body or b"{}")  # FastAPI asks for the JSON if there is a body, and it is called JSON
        headers = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
        self.scope = {**request.scope, "headers": [*headers, (b"content-type", JSON.encode())]}
        self._instance = instance

    async def json(self) -> BaseModel:
        return self._instance


async def read(request: Request, limit: int, content_type: str = JSON) -> bytes:
    """Read a body of one kind.

    Raises:
        UnsupportedContentType: It is not announced as `content_type`.
        UnsupportedContentType, BodyTooLarge, MalformedBody: As for `receive`.
    """
    check_content_type(request, content_type)
    return await receive(request, limit)


async def receive(request: Request, limit: int) -> bytes:
    """Read a body of at most `limit` bytes, whether or not its length was announced.

    Raises:
        UnsupportedContentType: It is compressed.
        BodyTooLarge: As soon as that is known.
        MalformedBody: It breaks off.
    """
    coding = request.headers.get("content-encoding", "identity")
    if coding != "identity":
        raise UnsupportedContentType(f"The body must not be compressed; this is {coding[:100]!r}. Send it as it is.")
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


def parse(body: bytes, model: type[Body]) -> Body:
    """Make a validated instance of a JSON body.

    Raises:
        MalformedBody: It is not JSON.
        InvalidInput: It is JSON, but not what the model says; every problem is named.
    """
    return validate(decode(body), model)


def decode(body: bytes) -> dict[str, object]:
    """Read a JSON object.

    Raises:
        MalformedBody: It is not JSON.
        InvalidInput: It is JSON, but not an object.
    """
    try:
        value = from_json(body)
    except ValueError as error:
        raise _unreadable(body, str(error)) from error
    if not isinstance(value, dict):
        raise InvalidInput(Problem("", f"The body must be a JSON object; this is {named(value)}."))
    return value


def validate(value: dict[str, object], model: type[Body]) -> Body:
    """Make an instance of a JSON object.

    Raises:
        InvalidInput: It is not what the model says; every problem is named.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidInput(*problems_in(error.errors(include_url=False), model)) from error


def check_content_type(request: Request, wanted: str) -> None:
    """See that a body is announced as what is wanted.

    Raises:
        UnsupportedContentType: It is not.
    """
    sent = request.headers.get("content-type", "")
    kind, _, options = sent.lower().partition(";")
    if kind.strip() != wanted or (wanted == JSON and "charset=" in options and "utf-8" not in options):
        what = "JSON in UTF-8" if wanted == JSON else "bytes"
        raise UnsupportedContentType(
            f"The body must be {what}; this is {sent[:100]!r}. Send the header Content-Type: {wanted}."
        )


def _unreadable(body: bytes, reason: str) -> MalformedBody | InvalidInput:
    if not body.strip():
        return MalformedBody("The body is empty. Send a JSON object.")
    if reason.startswith("number out of range"):
        return InvalidInput(Problem("", f"A {reason}: it has too many digits. Send finite numbers of float64."))
    return MalformedBody(f"The body is not JSON that can be read: {reason}.")
