"""One call: what is sent, and how its answer is read; nothing here sends anything."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

Answer = TypeVar("Answer")
Other = TypeVar("Other")

JSON = "application/json"


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """A request, and what becomes of its answer."""

    method: str
    path: str
    read: Callable[[httpx.Response], Answer]
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str | int] = field(default_factory=dict)
    repeatable: bool = True
    """Whether it may be sent again when nobody knows if it arrived: it changes nothing, or bears an Idempotency-Key."""

    def then(self, make: Callable[[Answer], Other]) -> "Call[Other]":
        """Make something else of the answer."""
        read = self.read
        return Call(
            self.method,
            self.path,
            lambda response: make(read(response)),
            self.content,
            self.headers,
            self.params,
            self.repeatable,
        )


def reading(kind: type[Answer]) -> Callable[[httpx.Response], Answer]:
    """Read JSON as a kind of record; fields that a later service adds are passed over, at every depth."""
    adapter = TypeAdapter(kind)
    return lambda response: adapter.validate_json(response.content, extra="ignore")


def nothing(_: httpx.Response) -> None:
    """Read an answer that has nothing to say."""


def once() -> dict[str, str]:
    """Make the header under which a change is made once, however often it is sent."""
    return {"Idempotency-Key": secrets.token_hex(16)}


def json_body(**fields: Any) -> bytes:  # noqa: ANN401  (whatever JSON can say)
    """Write the fields that are given."""
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def path(*parts: str) -> str:
    """Write an address below /v1 or /v2; whatever a name holds, it stays one part of it."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def drop_none(**fields: str | int | None) -> dict[str, str | int]:
    """Leave out what is None."""
    return {name: value for name, value in fields.items() if value is not None}
