"""The headers of a request by name, indexed once for each request."""

from starlette.types import Scope

SCOPE_KEY = "gdssm.headers"


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """Return values by lower-case name; of a repeated header the first value, as in Starlette."""
    found: dict[bytes, bytes] | None = scope.get(SCOPE_KEY)
    if found is None:
        found = scope[SCOPE_KEY] = dict(reversed(scope["headers"]))
    return found


def header(scope: Scope, name: bytes) -> str:
    """Return the value of one header as text; empty if it was not sent."""
    return headers_of(scope).get(name, b"").decode("latin-1")
