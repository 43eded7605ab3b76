"""A key that is never printed."""

import re
from typing import Protocol

USER = re.compile(r"(?<=//)[^/?#]*@|^[^/?#]*@")
"""User and password in a URL."""
KEY = re.compile(r"gdssm_[0-9a-f]{16}_[^\s/?#&]*")
"""An API key, wherever it stands."""


class SupportsSecret(Protocol):
    """A text that is never printed, such as `Secret` or pydantic's SecretStr."""

    def get_secret_value(self) -> str:
        """Return the text."""
        ...


class Secret:
    """A text that is printed as asterisks."""

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        """Return the text."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret('{'*' * 10 if self._value else ''}')"

    def __str__(self) -> str:
        return "*" * 10 if self._value else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class PrivateUrl(str):
    """A URL that is printed without its user, password and keys."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(shown(self))


def shown(url: str) -> str:
    """Remove user, password and keys from a URL, for messages."""
    return KEY.sub("gdssm_…", USER.sub("", url))
