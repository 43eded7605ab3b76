"""The content coding of a response: the header Accept-Encoding against the stored codings (RFC 9110, 12.5.3)."""

import re
from collections.abc import Sequence

from starlette.requests import HTTPConnection

_ENTRY = re.compile(r"([a-z0-9*!#$%&'+.^_`|~-]+)(?:\s*;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?")


def accepted_coding(request: HTTPConnection, codings: Sequence[str]) -> str | None:
    """Return the first of these codings that the client likes best; None for the content without one.

    Malformed entries count as absent. A client that refuses every coding gets the content without one.
    """
    entries = [
        part.strip() for value in request.headers.getlist("accept-encoding") for part in value.lower().split(",")
    ]
    matches = [match for entry in entries if (match := _ENTRY.fullmatch(entry))]
    quality = {match[1]: float(match[2] or 1) for match in reversed(matches)}
    others = quality.get("*", 0.0)
    best = max(codings, key=lambda coding: quality.get(coding, others))
    least = quality.get("identity", 0.0)
    return best if quality.get(best, others) >= max(least, 0.001) else None
