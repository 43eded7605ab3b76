"""The headers under which a change is made or an answer sent: Idempotency-Key, ETag, If-Match, If-None-Match."""

import re
from typing import Annotated

from fastapi import Depends, Header
from pydantic.json_schema import SkipJsonSchema

from service.contexts.context_record import Change, ContextRecord
from service.errors import InvalidInput, Problem

KEY = r"^[ -~]{1,200}$"
MATCH = r'^(\*|"[0-9]{1,18}")$'
NONE_MATCH = r'^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$'
"""RFC 9110, 13.1.2."""

IdempotencyKey = Annotated[
    str | SkipJsonSchema[None],
    Header(
        description="1 to 200 printable ASCII characters that you make up. "
        "A change asked for again under the same key is made once, and answered as the first time.",
        examples=["7f3c2a90"],
        json_schema_extra={"pattern": KEY},
    ),
]
IfMatch = Annotated[
    str | SkipJsonSchema[None],
    Header(
        description="The ETag of an answer: the change is made to that version of the context only; 412 otherwise.",
        examples=['"1"'],
        json_schema_extra={"pattern": MATCH},
    ),
]
IfNoneMatch = Annotated[
    str | SkipJsonSchema[None],
    Header(
        description="The ETag of an answer that you have: 304 without a body if the context has not changed since.",
        examples=['"1"'],
        json_schema_extra={"pattern": NONE_MATCH},
    ),
]


async def _making(idempotency_key: IdempotencyKey = None) -> Change:
    _check("idempotency-key", idempotency_key, KEY, "must be 1 to 200 printable ASCII characters")
    return Change(idempotency_key)


async def _changing(making: Annotated[Change, Depends(_making)], if_match: IfMatch = None) -> Change:
    _check("if-match", if_match, MATCH, 'must be the ETag of an answer, as "7" with its quotes, or *')
    version = None if if_match in {None, "*"} else int(str(if_match).strip('"'))
    return Change(making.idempotency_key, version)


async def _known(if_none_match: IfNoneMatch = None) -> str:
    _check("if-none-match", if_none_match, NONE_MATCH, 'must be ETags of answers, as "7" with its quotes, or *')
    return if_none_match or ""


CreatePreconditions = Annotated[Change, Depends(_making)]
"""The terms on which something new is made."""
UpdatePreconditions = Annotated[Change, Depends(_changing)]
"""The terms on which something is changed."""
IfNoneMatchDep = Annotated[str, Depends(_known)]
"""What the caller has already, as If-None-Match says it."""


def etag(record: ContextRecord) -> str:
    """Write the version of a context as its ETag."""
    return f'"{record.version}"'


def is_known(record: ContextRecord, known: str) -> bool:
    """See whether the caller has this version already; a `W/` that a proxy put before it makes no difference."""
    return known == "*" or etag(record) in re.findall(r'"[^"]*"', known)


def _check(header: str, value: str | None, pattern: str, rule: str) -> None:
    if value is not None and not re.fullmatch(pattern, value):
        raise InvalidInput(Problem(f"header.{header}", f"{rule}; this is {value[:100]!r}."))
