"""Which models an administrator took out of service, where nobody else needs to know; `store.unloaded` tells all."""

from collections.abc import Set as AbstractSet
from typing import Protocol

from service.registry.catalogue import Key


class Unloaded(Protocol):
    """Remembers names and versions."""

    def read(self) -> frozenset[Key]:
        """Everything that is out of service."""

    def add(self, keys: AbstractSet[Key]) -> None:
        """Take out of service; what is out already stays so."""

    def remove(self, keys: AbstractSet[Key]) -> None:
        """Put back into service."""


class InMemoryDisabledModels:
    """Remembered as long as the process lives."""

    def __init__(self) -> None:
        self._keys: frozenset[Key] = frozenset()

    def read(self) -> frozenset[Key]:
        """Everything that is out of service."""
        return self._keys

    def add(self, keys: AbstractSet[Key]) -> None:
        """Take out of service."""
        self._keys |= keys

    def remove(self, keys: AbstractSet[Key]) -> None:
        """Put back into service."""
        self._keys -= keys
