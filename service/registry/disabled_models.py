"""The models that an administrator took out of service."""

from collections.abc import Set as AbstractSet
from typing import Protocol

from service.inference.artifact import ModelKey


class DisabledModels(Protocol):
    """A set of models by name and version."""

    def read(self) -> frozenset[ModelKey]:
        """Return all of them."""

    def add(self, keys: AbstractSet[ModelKey]) -> None:
        """Add models; those that are already in the set are ignored."""

    def remove(self, keys: AbstractSet[ModelKey]) -> None:
        """Remove models."""


class InMemoryDisabledModels:
    """Kept while the process runs; for services without a database."""

    def __init__(self) -> None:
        self._keys: frozenset[ModelKey] = frozenset()

    def read(self) -> frozenset[ModelKey]:
        """Return all of them."""
        return self._keys

    def add(self, keys: AbstractSet[ModelKey]) -> None:
        """Add models."""
        self._keys |= keys

    def remove(self, keys: AbstractSet[ModelKey]) -> None:
        """Remove models."""
        self._keys -= keys
