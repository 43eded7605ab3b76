"""A progress bar on the standard error, if that is a terminal."""

import sys
from collections.abc import AsyncIterator, Iterator
from typing import Self

WIDTH = 36
"""Characters of a full bar."""
PART = 2**16
"""Bytes of a body between two lines."""


class ProgressBar:
    """A line on the standard error that is written again as work advances.

    Args:
        label: The work.
        total: Its units.
        shown: Whether the caller asked for the bar; nothing is written where the standard error is no terminal.
    """

    def __init__(self, label: str, total: int, *, shown: bool) -> None:
        self._label, self._total, self._line = label, max(total, 1), ""
        self.is_shown = shown and sys.stderr.isatty()

    def __enter__(self) -> Self:
        self.update(0)
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_shown:
            sys.stderr.write("\n")

    def update(self, done: int) -> None:
        """Show the units done so far; equal lines are written once."""
        share = min(done / self._total, 1.0)
        line = f"{self._label}  [{'#' * int(share * WIDTH):-<{WIDTH}}]  {share:4.0%}"
        if self.is_shown and line != self._line:
            sys.stderr.write(f"\r{line}")
            sys.stderr.flush()
            self._line = line

    def parts(self, body: bytes) -> Iterator[bytes]:
        """Divide a body, whose bytes are the units, and advance with each part."""
        for start in range(0, len(body), PART):
            yield body[start : start + PART]
            self.update(start + PART)

    async def async_parts(self, body: bytes) -> AsyncIterator[bytes]:
        """Do the same for asyncio and trio."""
        for part in self.parts(body):
            yield part
