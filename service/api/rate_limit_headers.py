"""The headers that inform a caller of its rate limit, in the form of draft-ietf-httpapi-ratelimit-headers-11.

    RateLimit-Policy: "key";q=600;w=60     600 requests in 60 seconds
    RateLimit: "key";r=599;t=60            599 are left; in 60 seconds the oldest one no longer counts

Only callers with a limit get them.
"""

from functools import lru_cache
from typing import Any

from service.access.rate_limits import WINDOW_SECONDS
from service.observability.request_stats import Quota

POLICY = '"key"'
"""The name of the limit, a string of a structured field."""
REST = f"{POLICY};r=%d;t=%d".encode()
"""Of a value of RateLimit: with the requests that are left, and the seconds."""
DOCUMENTED: dict[str, dict[str, Any]] = {
    "RateLimit-Policy": {
        "description": "The rate limit of the key, if it has one: `q` requests in `w` seconds.",
        "schema": {"type": "string", "examples": [f"{POLICY};q=600;w={WINDOW_SECONDS:g}"]},
    },
    "RateLimit": {
        "description": "The rest of the limit: `r` requests; in `t` seconds the oldest one no longer counts.",
        "schema": {"type": "string", "examples": [f"{POLICY};r=599;t={WINDOW_SECONDS:g}"]},
    },
}
"""Header objects of OpenAPI, by name."""


def headers_for(quota: Quota) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    """Return the headers of a response to a caller with a limit."""
    a_minute, remaining, seconds = quota
    return _policy(a_minute), (b"ratelimit", REST % (remaining, seconds))


@lru_cache(maxsize=1024)
def _policy(a_minute: int) -> tuple[bytes, bytes]:
    return b"ratelimit-policy", f"{POLICY};q={a_minute};w={WINDOW_SECONDS:g}".encode()
