"""The headers of a request by name, found once for all who look at them."""

from starlette.types import Scope

KEY = "gdssm.headers"


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """Values by lower-case name; of a header that comes twice the first counts, as everywhere in the framework."""
    found: dict[bytes, bytes] | None = scope.get(KEY)
    if found is None:
        found = scope[KEY] = dict(reversed(scope["headers"]))
    return found


def header(scope: Scope, name: bytes) -> str:
    """One of them as text; empty if it was not sent."""
    return headers_of(scope).get(name, b"").decode("latin-1")
