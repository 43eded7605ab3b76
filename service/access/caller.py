"""Who asks: the owner of what they make, and what they may do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """The holder of one key; with authentication off, everybody is the same."""

    key_id: str
    """Owner of the contexts that the caller makes; empty for everybody."""
    admin: bool
    """Whether the caller may load and unload models."""
    rate_limit: int | None = None
    """Requests a minute, if the key has a limit of its own."""


ANONYMOUS = Caller("", admin=True)
"""The caller while authentication is off."""
