"""The request body: read within its limit, then parsed and validated off the event loop."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import cache, partial
from typing import Any, NamedTuple, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from service.api import json_arrays
from service.api.executor import BYTES_PER_NUMBER, INLINE_LIMIT
from service.api.headers import header, headers_of
from service.api.names import Pruning, decode_beginning, decode_in_runs, is_crowded, names_of
from service.api.problems import problems_in
from service.api.served import parts_of
from service.errors import BodyTooLarge, InvalidInput, MalformedBody, Problem, UnsupportedContentType
from service.numbers import named

JSON = "application/json"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Ignored, as RFC 8259, 8.1 lets a reader do: programs of Windows write it."""
LONG = 2**20
"""Bytes of a body that takes milliseconds to read."""
Body = TypeVar("Body", bound=BaseModel)


class Reader(NamedTuple):
    """How a body becomes an instance of a model."""

    kind: str
    """One of a few names: bodies of one kind take about as long to read for each byte."""
    read: Callable[[bytes], BaseModel]


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
            body, instance = await self.read(request, model)
            return await handle(_Validated(request, body, instance))

        return read_then_handle

    async def read(self, request: Request, model: type[BaseModel]) -> tuple[bytes, BaseModel]:
        """Read and validate a body.

        Raises:
            UnsupportedContentType, BodyTooLarge, MalformedBody, InvalidInput: As for `receive`, `reader` and `parse`.
        """
        reader = self.reader(request, model)
        parts = parts_of(request)
        body = await receive(request, parts.settings.max_body_bytes)
        size = len(body) // BYTES_PER_NUMBER
        if size <= INLINE_LIMIT:
            return body, reader.read(body)
        return body, await parts.pool.run(partial(reader.read, body), size, reader.kind)

    def reader(self, request: Request, model: type[BaseModel]) -> Reader:
        """Choose how a body becomes an instance of the route's model, by its headers; some routes take more than JSON.

        Raises:
            UnsupportedContentType: Not at all.
        """
        check_content_type(request, JSON)
        return json_reader(model)


@cache
def json_reader(model: type[BaseModel]) -> Reader:
    """Make what reads JSON."""
    return Reader(JSON, partial(parse, model=model))


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
    headers = headers_of(request.scope)
    coding = headers.get(b"content-encoding", b"identity")
    if coding != b"identity":
        shown = coding.decode("latin-1")[:100]
        raise UnsupportedContentType(f"The body must not be compressed; this is {shown!r}. Send it as it is.")
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and float(announced) > limit:
        raise BodyTooLarge(limit)
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise MalformedBody("The body broke off before its end.")
        more = message.get("more_body", False)
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > limit:
            raise BodyTooLarge(limit)
    return b"".join(pieces)  # most bodies come in one piece, which is then not copied


def parse(body: bytes, model: type[Body]) -> Body:
    """Make a validated instance of a JSON body.

    Raises:
        MalformedBody: It is not JSON.
        InvalidInput: It is JSON, but not what the model says; every problem is named.
    """
    quick = json_arrays.decode(body)
    if quick is None:
        return parse_strict(body, model)
    try:
        return model.model_validate(quick)
    except ValidationError:  # to be told in full, of what was really sent
        return parse_strict(body, model)


def parse_strict(body: bytes, model: type[Body]) -> Body:
    """Do what `parse` does without its short cut, which is of no use where whole numbers are wanted in lists.

    Raises:
        MalformedBody, InvalidInput: As for `parse`.
    """
    return validate(decode(body, model), model)


def decode(body: bytes, model: type[BaseModel]) -> dict[str, Any]:
    """Read a JSON object that is to be an instance of a model; of one with too many objects only the beginning.

    Raises:
        MalformedBody: It is not JSON.
        InvalidInput: It is JSON, but not an object.
    """
    text = body.removeprefix(BYTE_ORDER_MARK)
    try:
        value = decode_beginning(text, names_of(model)) if is_crowded(text) else _whole(text)
    except ValueError as error:
        raise _unreadable(text, str(error)) from None
    if not isinstance(value, dict):
        raise InvalidInput(Problem("", f"The body must be a JSON object; this is {named(value)}."))
    return value


def validate(value: dict[str, Any], model: type[Body]) -> Body:
    """Make an instance of a JSON object.

    Raises:
        InvalidInput: It is not what the model says; every problem is named, of many the first.
    """
    pruning = Pruning(model)
    try:
        instance = model.model_validate(pruning.of_body(value))
    except ValidationError as error:
        problems = [*problems_in(error.errors(include_url=False), model)]
    else:
        if pruning.problem is None:
            return instance
        problems = [pruning.problem]
    raise InvalidInput(*problems)  # outside of the handler: pydantic's error holds the whole body


def check_content_type(request: Request, wanted: str) -> None:
    """See that a body is announced as what is wanted.

    Raises:
        UnsupportedContentType: It is not.
    """
    sent = header(request.scope, b"content-type")
    if sent == wanted:
        return
    kind, _, options = sent.lower().partition(";")
    if kind.strip() != wanted or (wanted == JSON and "charset=" in options and "utf-8" not in options):
        what = "JSON in UTF-8" if wanted == JSON else "bytes"
        raise UnsupportedContentType(
            f"The body must be {what}; this is {sent[:100]!r}. Send the header Content-Type: {wanted}."
        )


def _whole(text: bytes) -> object:
    """Read a JSON document; a long one in runs, since no other thread runs within `from_json`."""
    if len(text) > LONG:
        with suppress(ValueError, RuntimeError):  # which `from_json` reads, or refuses in its words
            return decode_in_runs(text)
    return from_json(text)


def _unreadable(body: bytes, reason: str) -> MalformedBody | InvalidInput:
    if not body.strip():
        return MalformedBody("The body is empty. Send a JSON object.")
    if reason.startswith("number out of range"):
        return InvalidInput(Problem("", f"A {reason}: it has too many digits. Send finite numbers of float64."))
    return MalformedBody(f"The body is not JSON that can be read: {reason}.")
