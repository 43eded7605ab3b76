"""The headers of conditional requests: Idempotency-Key, ETag, If-Match, If-None-Match."""

import re
from typing import Annotated

from fastapi import Depends, Header
from pydantic.json_schema import SkipJsonSchema
from starlette.requests import HTTPConnection

from service.api.request import headers_of
from service.contexts.records import UNCONDITIONAL, Change, ContextRecord
from service.errors import InvalidInput, Problem

IDEMPOTENCY_KEY_PATTERN = r"^[ -~]{1,200}$"
IF_MATCH_PATTERN = r'^(\*|"[0-9]{1,18}")$'
IF_NONE_MATCH_PATTERN = r'^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$'
"""RFC 9110, 13.1.2."""
MAX_AGE = re.compile(r"(?i)(?:^|[,\s])max-age=\"?([0-9]{1,9})\"?(?=[,\s]|$)")
"""RFC 9111, 5.2.1.1."""

IdempotencyKey = Annotated[
    str | SkipJsonSchema[None],
    Header(
        description="1 to 200 printable ASCII characters that you make up. "
        "A change that is repeated with the same key is made once, and has the same response.",
        examples=["7f3c2a90"],
        json_schema_extra={"pattern": IDEMPOTENCY_KEY_PATTERN},
    ),
]
IfMatch = Annotated[
    str | SkipJsonSchema[None],
    Header(
        description="The ETag of an answer: the change is made to that version of the context only; 412 otherwise.",
        examples=['"1"'],
        json_schema_extra={"pattern": IF_MATCH_PATTERN},
    ),
]
CacheControl = Annotated[
    str | SkipJsonSchema[None],
    Header(
        alias="Cache-Control",
        description="`max-age=SECONDS`: the answer may be that of the context some seconds ago, so that its row is not "
        "read for each request. Other directives are ignored.",
        examples=["max-age=5"],
    ),
]
IfNoneMatch = Annotated[
    str | SkipJsonSchema[None],
    Header(
        description="The ETag of an answer that you have: 304 without a body if the context has not changed since.",
        examples=['"1"'],
        json_schema_extra={"pattern": IF_NONE_MATCH_PATTERN},
    ),
]


async def _create_preconditions(idempotency_key: IdempotencyKey = None) -> Change:
    _check("idempotency-key", idempotency_key, IDEMPOTENCY_KEY_PATTERN, "must be 1 to 200 printable ASCII characters")
    return Change(idempotency_key)


async def update_preconditions(
    change: Annotated[Change, Depends(_create_preconditions)], if_match: IfMatch = None
) -> Change:
    """Read the conditions of a change, as a dependency."""
    _check("if-match", if_match, IF_MATCH_PATTERN, 'must be the ETag of an answer, such as "7" with its quotes, or *')
    version = None if if_match in {None, "*"} else int(str(if_match).strip('"'))
    return Change(change.idempotency_key, version)


async def update_preconditions_of(request: HTTPConnection) -> Change:
    """Read the conditions of a change to a fast endpoint."""
    key, if_match = (_header(request, name) for name in (b"idempotency-key", b"if-match"))
    if key is None and if_match is None:
        return UNCONDITIONAL
    return await update_preconditions(await _create_preconditions(key), if_match)


async def _if_none_match(if_none_match: IfNoneMatch = None) -> str:
    _check(
        "if-none-match", if_none_match, IF_NONE_MATCH_PATTERN, 'must be ETags of answers, as "7" with its quotes, or *'
    )
    return if_none_match or ""


async def document_max_age(_cache_control: CacheControl = None) -> None:
    """Document the header that `max_age_of` reads, as a dependency."""


def max_age_of(request: HTTPConnection) -> float:
    """Read the age in seconds that a caller allows a state to have; 0 without `Cache-Control: max-age`."""
    found = MAX_AGE.search(_header(request, b"cache-control") or "")
    return 0.0 if found is None else float(found[1])


CreatePreconditions = Annotated[Change, Depends(_create_preconditions)]
UpdatePreconditions = Annotated[Change, Depends(update_preconditions)]
IfNoneMatchDep = Annotated[str, Depends(_if_none_match)]
"""The value of If-None-Match; empty if it was not sent."""


def etag(record: ContextRecord) -> str:
    """Write the version of a context as its ETag."""
    return f'"{record.version}"'


def matches(record: ContextRecord, if_none_match: str) -> bool:
    """Return whether If-None-Match names the version of a context; a weak ETag (`W/`, added by proxies) matches too."""
    return if_none_match == "*" or etag(record) in re.findall(r'"[^"]*"', if_none_match)


def _header(request: HTTPConnection, name: bytes) -> str | None:
    value = headers_of(request.scope).get(name)
    return None if value is None else value.decode("latin-1")


def _check(header: str, value: str | None, pattern: str, rule: str) -> None:
    if value is not None and not re.fullmatch(pattern, value):
        raise InvalidInput(Problem(f"header.{header}", f"{rule}; this is {value[:100]!r}."))
