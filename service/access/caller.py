"""The caller of the API: the holder of a key, with permissions."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """The holder of one key; without authentication all requests have one caller."""

    key_id: str
    """Owner of the contexts that the caller creates; empty without authentication."""
    admin: bool
    """Whether the caller may load and unload models."""
    rate_limit: int | None = None
    """Requests a minute; None is the setting's limit."""


ANONYMOUS = Caller("", admin=True)
"""The caller without authentication."""
