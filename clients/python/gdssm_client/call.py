"""A request with the function that reads its response, and what requests are made of."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx

from gdssm_client.decoding import decoder
from gdssm_client.errors import UnexpectedAnswer

Answer = TypeVar("Answer")

JSON_TYPE = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """A request, and how to read its response; a session sends it."""

    method: str
    path: str
    read: Callable[[httpx.Response], Answer]
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str | int | list[str]] = field(default_factory=dict)
    repeatable: bool = True
    """Whether to retry when it is unknown if the request arrived: it changes nothing, or has an Idempotency-Key."""
    label: str = ""
    """Of the progress bar while a long body is sent; none if it is empty."""


def reading(kind: type[Answer]) -> Callable[[httpx.Response], Answer]:
    """Read JSON as `kind`; unknown fields, which a later service may add, are ignored at every depth."""
    hint: Any = kind
    decode = decoder(hint)

    def read(response: httpx.Response) -> Answer:
        try:
            answer: Answer = decode(json.loads(response.content))
        except ValueError as error:
            raise unexpected(response, error) from error
        return answer

    return read


def unexpected(response: httpx.Response, error: Exception) -> UnexpectedAnswer:
    """Make the error for a response that cannot be read."""
    path = response.request.url.path
    return UnexpectedAnswer(f"The answer of {path} cannot be read: {error}. The service may have another version.")


def new_idempotency_key() -> dict[str, str]:
    """Make the header with which the service makes a change once, however often the request is sent."""
    return {"Idempotency-Key": secrets.token_hex(16)}


def if_match(version: int | None) -> dict[str, str]:
    """Make the header that requires a version of a context; none if it is None."""
    return {} if version is None else {"If-Match": f'"{version}"'}


def max_age_header(seconds: int | None) -> dict[str, str]:
    """Make the header that allows the state of a context to be some seconds old; none if it is None."""
    return {} if seconds is None else {"Cache-Control": f"max-age={seconds:d}"}


def json_body(**fields: Any) -> bytes:  # noqa: ANN401  (any JSON value)
    """Write fields as JSON, without those that are None."""
    return json.dumps(drop_none(**fields)).encode()


def path(*parts: str) -> str:
    """Join the parts of a path, quoted."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def drop_none(**fields: Any) -> dict[str, Any]:  # noqa: ANN401  (any value)
    """Leave out fields that are None."""
    return {name: value for name, value in fields.items() if value is not None}
