"""Bodies of JSON, or of JSON followed by binary tensors; the content type may be missing."""

from functools import partial
from typing import Any, TypeVar

from fastapi import Request
from numpy.typing import NDArray
from pydantic import BaseModel

from service.api.body import BINARY_SCHEMA, JSON, Body, Codec, check_content_type, media_type, parse_strict
from service.api.object_limits import free_in_chunks
from service.api.request import headers_of
from service.api.routes.v2 import binary, json_codec
from service.api.routes.v2.schemas import InferInput, InferRequest
from service.errors import InvalidInput, MalformedBody, Problem

Model = TypeVar("Model", bound=BaseModel)
LENGTH = {
    "name": binary.JSON_LENGTH_HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
    "description": "Bytes of JSON at the beginning of the body, if tensors follow it as bytes.",
}


class ProtocolBody(Body[Model]):
    """A JSON body whose content type may be missing, as in requests of tritonclient; no body is the empty object."""

    def __init__(self, model: type[Model]) -> None:
        super().__init__(model)
        self._json = Codec(JSON, lambda body: parse_strict(body or b"{}", model))

    def codec(self, request: Request, sent: str) -> Codec[Model]:
        """Return the JSON codec, also if there is no content type."""
        if b"content-type" in headers_of(request.scope):
            check_content_type(sent, JSON)
        return self._json

    @property
    def documentation(self) -> dict[str, Any]:
        """The OpenAPI object `requestBody`."""
        return {**super().documentation, "required": False}


class InferBody(ProtocolBody[InferRequest]):
    """A JSON body, followed by binary tensors if the header with the length of the JSON is sent."""

    def __init__(self) -> None:
        super().__init__(InferRequest)

    def codec(self, request: Request, sent: str) -> Codec[InferRequest]:
        """Return the codec for JSON alone, or for JSON followed by binary tensors."""
        length = headers_of(request.scope).get(binary.JSON_LENGTH_HEADER.lower().encode())
        announced = media_type(sent)
        if announced == binary.CONTENT_TYPE and length is None:
            raise MalformedBody(
                f"Binary tensors come after JSON. Send its length in the header {binary.JSON_LENGTH_HEADER}."
            )
        if announced != binary.CONTENT_TYPE:
            codec = super().codec(request, sent)
        return codec if length is None else Codec(binary.CONTENT_TYPE, partial(_split, length.decode("latin-1")))

    @property
    def operation(self) -> dict[str, Any]:
        """The part of the OpenAPI operation that concerns the body, and the header with the length of the JSON."""
        return {**super().operation, "parameters": [LENGTH]}

    @property
    def documentation(self) -> dict[str, Any]:
        """The OpenAPI object `requestBody`."""
        documentation = super().documentation
        documentation["content"][binary.CONTENT_TYPE] = {"schema": BINARY_SCHEMA}
        return {**documentation, "required": True}


def tensors_of(request: InferRequest) -> dict[str, NDArray[Any]]:
    """Read the inputs of a request; frees their JSON numbers.

    Raises:
        InvalidInput: An input cannot be read, or is repeated.
    """
    tensors: dict[str, NDArray[Any]] = {}
    binary.check_total(request.inputs, request.binary_tensors)
    start = 0
    for i, sent in enumerate(request.inputs):
        size = binary.size_of(sent) or 0
        if sent.name in tensors:
            raise InvalidInput(Problem(f"inputs[{i}].name", f"{sent.name!r} is repeated. Send each tensor once."))
        tensors[sent.name] = _tensor(sent, request.binary_tensors[start : start + size], f"inputs[{i}]")
        start += size
    return tensors


def _tensor(sent: InferInput, content: memoryview, field: str) -> NDArray[Any]:
    if binary.size_of(sent) is None:
        try:
            return json_codec.read(sent, field)
        finally:
            free_in_chunks(sent.data, inner=True)
    if sent.data is not None:
        raise InvalidInput(Problem(f"{field}.data", "must be left out where there is a binary_data_size."))
    return binary.read(sent, content, field)


def _split(header: str, body: bytes) -> InferRequest:
    length = binary.json_length(header, body)
    request = parse_strict(body[:length], InferRequest)
    return request.with_binary_tensors(memoryview(body)[length:])
