"""What a test goes through, known not to be empty: an assertion in a loop without a turn asserts nothing."""

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def nonempty(items: Iterable[T]) -> list[T]:
    """List what there is; fails if that is nothing."""
    found = [*items]
    assert found, "there is nothing to go through"
    return found
