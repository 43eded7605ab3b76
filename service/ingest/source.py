"""A log that is read: entries in order, each found again by its position."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class LogEntry(NamedTuple):
    """One entry of a log: a row."""

    position: str
    """Text that names the entry; the next one is read after it. At most 100 characters."""
    fields: Mapping[str, object]
    """Cells by column: texts, numbers, true, false, or None where missing."""
    problem: str = ""
    """Why the entry has no readable fields; empty if it has."""


class LogSource(Protocol):
    """One stream of entries, whose order never changes; the caller stores positions."""

    name: str
    """Of the stream, by which positions are stored: 1 to 500 characters."""

    def read(self, after: str | None, count: int) -> list[LogEntry]:
        """Read the next entries without waiting.

        Args:
            after: The position of the last entry that was read; None for the beginning.
            count: Entries at most.

        Returns:
            The entries after that position, in order; none at the end.

        Raises:
            SourceUnavailable: The log does not answer now.
            InvalidInput: There is no such log, or it has no such position.
        """

    def end(self) -> str | None:
        """Return the position of the last entry; None where there is no entry yet.

        Raises:
            SourceUnavailable, InvalidInput: As for `read`.
        """

    def close(self) -> None:
        """Close connections and files."""
