"""The content type of a response: the header Accept against the types that an address can write (RFC 9110, 12.5.1)."""

import re
from collections.abc import Collection

JSON_RANGES = ("application/json", "application/*", "*/*")
"""How Accept may name JSON, the most specific first."""
_QUALITY = re.compile(r"(?i)(?:^|;)\s*q\s*=\s*([0-9.]{1,8})\s*(?:;|$)")


def accepted_type(accept: str, types: Collection[str]) -> str | None:
    """Return the type that a client likes best of those that it names, the first of several; None for JSON.

    Args:
        accept: The value of the header.
        types: Content types other than JSON.
    """
    quality: dict[str, float] = {}
    for entry in accept.lower().split(","):
        name, _, parameters = entry.partition(";")
        quality.setdefault(name.strip(), _quality_in(parameters))
    json = next((quality[name] for name in JSON_RANGES if name in quality), 0.0)
    named = [name for name in quality if name in types and quality[name] > 0]
    best = max(named, key=quality.__getitem__, default=None)
    return best if best is not None and quality[best] >= json else None


def _quality_in(parameters: str) -> float:
    """Read the weight among the parameters of an entry; 1 if there is none, or it is no number."""
    found = _QUALITY.search(parameters)
    try:
        return 1.0 if found is None else float(found[1])
    except ValueError:
        return 1.0
