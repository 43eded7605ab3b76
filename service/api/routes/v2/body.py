"""A body of JSON, or of JSON and binary tensors after it; announced as such, or not announced at all."""

from functools import partial
from typing import Any

from fastapi import Request
from numpy.typing import NDArray
from pydantic import BaseModel

from service.api.body import JSON, JsonBodyRoute, Reader, check_content_type, parse_strict
from service.api.headers import header, headers_of
from service.api.routes.v2 import binary, json_codec
from service.api.routes.v2.schemas import InferInput, InferRequest
from service.errors import InvalidInput, MalformedBody, Problem


class ProtocolRoute(JsonBodyRoute):
    """Takes JSON also from clients that do not announce it, as tritonclient does not; no body is the empty object."""

    def reader(self, request: Request, model: type[BaseModel]) -> Reader:
        """Let no content type pass for JSON."""
        if b"content-type" in headers_of(request.scope):
            check_content_type(request, JSON)
        return Reader(JSON, lambda body: parse_strict(body or b"{}", model))


class InferRoute(ProtocolRoute):
    """Takes binary tensors too, wherever the header says that there are some."""

    def reader(self, request: Request, model: type[BaseModel]) -> Reader:
        """Split the body where the header says."""
        length = headers_of(request.scope).get(binary.HEADER.lower().encode())
        announced = header(request.scope, b"content-type").partition(";")[0].strip().lower()
        if announced == binary.CONTENT_TYPE and length is None:
            raise MalformedBody(f"Binary tensors come after JSON. Send its length in the header {binary.HEADER}.")
        split = None if length is None else Reader(binary.CONTENT_TYPE, partial(_split, length.decode("latin-1")))
        if announced == binary.CONTENT_TYPE and split:
            return split
        read_json = super().reader(request, model)
        return split or read_json


def tensors_of(request: InferRequest) -> dict[str, NDArray[Any]]:
    """Read the inputs of a request.

    Raises:
        InvalidInput: One of them cannot be read, or is there twice.
    """
    tensors: dict[str, NDArray[Any]] = {}
    binary.check_total(request.inputs, request.behind)
    start = 0
    for i, sent in enumerate(request.inputs):
        size = binary.size_of(sent) or 0
        if sent.name in tensors:
            raise InvalidInput(Problem(f"inputs[{i}].name", f"{sent.name!r} is there twice. Send each tensor once."))
        tensors[sent.name] = _tensor(sent, request.behind[start : start + size], f"inputs[{i}]")
        start += size
    return tensors


def _tensor(sent: InferInput, content: memoryview, field: str) -> NDArray[Any]:
    if binary.size_of(sent) is None:
        return json_codec.read(sent, field)
    if sent.data is not None:
        raise InvalidInput(Problem(f"{field}.data", "must be left out where there is a binary_data_size."))
    return binary.read(sent, content, field)


def _split(header: str, body: bytes) -> InferRequest:
    length = binary.json_length(header, body)
    request = parse_strict(body[:length], InferRequest)
    return request.followed_by(memoryview(body)[length:])
