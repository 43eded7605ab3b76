"""The request body: read within its limit, then parsed and validated off the event loop."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from service.api import json_arrays
from service.api.executor import BYTES_PER_NUMBER, INLINE_LIMIT
from service.api.object_limits import (
    Pruning,
    decode_in_chunks,
    decode_truncated,
    field_names_of,
    free_in_chunks,
    has_too_many_tokens,
)
from service.api.request import header, headers_of, state_of
from service.api.validation_problems import problems_in
from service.errors import BodyTooLarge, InvalidInput, MalformedBody, Problem, UnsupportedContentType
from service.numbers import describe
from service.server.garbage_collection import without_full_collections

JSON = "application/json"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Ignored, which RFC 8259, 8.1 allows: Windows programs write it."""
LARGE_BODY_BYTES = 2**20
"""Bodies with more bytes take milliseconds to parse, and are parsed in chunks."""
BINARY_SCHEMA = {"type": "string", "format": "binary"}
REF_TEMPLATE = "#/components/schemas/{model}"
Value = TypeVar("Value")
Model = TypeVar("Model", bound=BaseModel)


class Codec(NamedTuple, Generic[Value]):
    """The reader of one content type."""

    kind: str
    """A content type; for the cost model, which assumes that bodies of one kind take the same time per byte."""
    read: Callable[[bytes], Value]


class Body(Generic[Value]):
    """The request body of an endpoint: its content types, and how each is read.

    An instance is a FastAPI dependency that reads and validates the body, off the event loop where that takes long.

    Args:
        model: Validates a JSON body; None if JSON is not accepted.
        codecs: Readers by content type, for others than JSON.
    """

    def __init__(
        self, model: type[Value] | None, codecs: Mapping[str, Callable[[bytes], Value]] = MappingProxyType({})
    ) -> None:
        self.models: tuple[type[BaseModel], ...] = () if model is None else (model,)  # type: ignore[assignment]  # it is one
        self._codecs = {kind: Codec(kind, read) for kind, read in codecs.items()}
        if model is not None:
            self._codecs[JSON] = Codec(JSON, partial(parse, model=model))  # type: ignore[type-var]  # BaseModels only
        self._default = self._codecs.get(JSON) or next(iter(self._codecs.values()))

    async def __call__(self, request: Request) -> Value:
        """Read and validate the body of a request.

        Raises:
            UnsupportedContentType, BodyTooLarge, MalformedBody, InvalidInput: See `codec`, `receive` and the codec.
        """
        codec, state = self.codec(request, header(request.scope, b"content-type")), state_of(request.scope)
        content = await receive(request, state.settings.max_body_bytes)
        size = len(content) // BYTES_PER_NUMBER
        if size <= INLINE_LIMIT:
            return codec.read(content)
        read = codec.read if len(content) <= LARGE_BODY_BYTES else partial(_read_large, codec.read)
        return await state.executor.run(partial(read, content), size, codec.kind)

    def codec(self, request: Request, sent: str) -> Codec[Value]:  # noqa: ARG002  (a subclass reads its query)
        """Choose the codec for the content type that was sent.

        Raises:
            UnsupportedContentType: The endpoint does not accept the content type.
        """
        codec = self._codecs.get(sent)
        if codec is None:  # another content type, or one with parameters
            codec = self._codecs.get(media_type(sent), self._default)
            check_content_type(sent, codec.kind)
        return codec

    @property
    def operation(self) -> dict[str, Any]:
        """The part of the OpenAPI operation that concerns the body."""
        return {"requestBody": self.documentation}

    @property
    def documentation(self) -> dict[str, Any]:
        """The OpenAPI object `requestBody`; `openapi` adds the schemas of the models."""
        content: dict[str, Any] = {kind: {"schema": BINARY_SCHEMA | {"minLength": 1}} for kind in self._codecs}
        references = [{"$ref": REF_TEMPLATE.format(model=model.__name__)} for model in self.models]
        if references:
            content[JSON] = {"schema": references[0] if len(references) == 1 else {"anyOf": references}}
        return {"required": True, "content": dict(sorted(content.items()))}


async def receive(request: Request, limit: int) -> bytes:
    """Read a body of at most `limit` bytes, with or without a Content-Length.

    Raises:
        UnsupportedContentType: It is compressed.
        BodyTooLarge: It is over the limit.
        MalformedBody: It is incomplete.
    """
    headers = headers_of(request.scope)
    coding = headers.get(b"content-encoding", b"")
    if coding not in {b"", b"identity"}:
        shown = coding.decode("latin-1")[:100]
        raise UnsupportedContentType(f"The body must not be compressed; this is {shown!r}. Send it uncompressed.")
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
    return b"".join(pieces)  # does not copy a single piece


def parse(body: bytes, model: type[Model]) -> Model:
    """Parse and validate a JSON body; lists of numbers are read as arrays where possible.

    Raises:
        MalformedBody: It is not JSON.
        InvalidInput: It is JSON, but not valid for the model; names every problem.
    """
    arrays = json_arrays.decode(body)
    return parse_strict(body, model) if arrays is None else validate_arrays(arrays, body, model)


def validate_arrays(arrays: dict[str, object], body: bytes, model: type[Model]) -> Model:
    """Validate a JSON object with arrays, which was parsed of `body`.

    Raises:
        InvalidInput: See `parse`.
    """
    try:
        return model.model_validate(arrays)
    except ValidationError:  # the strict parser names all problems, with the values that were sent
        return parse_strict(body, model)


def parse_strict(body: bytes, model: type[Model]) -> Model:
    """Parse and validate a JSON body without arrays, which would turn integers in lists into float64.

    Raises:
        MalformedBody, InvalidInput: See `parse`.
    """
    value = decode(body, model)
    try:
        return validate(value, model)
    finally:
        if len(body) > LARGE_BODY_BYTES:
            free_in_chunks(value)  # here: the traceback of an error refers to the value


def decode(body: bytes, model: type[BaseModel]) -> dict[str, Any]:
    """Parse a JSON object for a model; of an object over the limits of `object_limits` only the beginning.

    Raises:
        MalformedBody: It is not JSON.
        InvalidInput: It is JSON, but not an object.
    """
    text = body.removeprefix(BYTE_ORDER_MARK)
    try:
        value = decode_truncated(text, field_names_of(model)) if has_too_many_tokens(text) else _whole(text)
    except ValueError as error:
        raise unreadable(text, str(error)) from None
    if not isinstance(value, dict):
        raise InvalidInput(Problem("", f"The body must be a JSON object; this is {describe(value)}."))
    return value


def validate(value: dict[str, Any], model: type[Model]) -> Model:
    """Validate a JSON object.

    Raises:
        InvalidInput: It is not valid for the model; names every problem, of many the first.
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
    raise InvalidInput(*problems)  # outside the except block: pydantic's error refers to the whole body


def media_type(content_type: str) -> str:
    """Return a content type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def check_content_type(sent: str, wanted: str) -> None:
    """Check the content type of a request.

    Raises:
        UnsupportedContentType: It is another one, or JSON that is not UTF-8.
    """
    if sent == wanted:
        return
    _, _, options = sent.lower().partition(";")
    if media_type(sent) != wanted or (wanted == JSON and "charset=" in options and "utf-8" not in options):
        what = "JSON in UTF-8" if wanted == JSON else "bytes"
        raise UnsupportedContentType(
            f"The body must be {what}; this is {sent[:100]!r}. Send the header Content-Type: {wanted}."
        )


def _read_large(read: Callable[[bytes], Value], content: bytes) -> Value:
    with without_full_collections():
        return read(content)


def _whole(text: bytes) -> object:
    """Parse a JSON document; a large one in chunks, because `from_json` does not release the GIL."""
    if len(text) > LARGE_BODY_BYTES:
        with suppress(ValueError, RuntimeError):  # `from_json` then parses the text, or reports the error
            return decode_in_chunks(text)
    return from_json(text)


def unreadable(body: bytes, reason: str) -> MalformedBody | InvalidInput:
    """Return the error for bytes that are not JSON, or have a number out of range."""
    if not body.strip():
        return MalformedBody("The body is empty. Send a JSON object.")
    if reason.startswith("number out of range"):
        return InvalidInput(Problem("", f"A {reason}: it has too many digits. Send finite numbers of float64."))
    return MalformedBody(f"The body is not valid JSON: {reason}.")
