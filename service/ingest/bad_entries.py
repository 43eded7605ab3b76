"""Entries from which nothing is learnt: counted, logged up to a limit, and written to a file."""

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from service.errors import InvalidInput, Problem
from service.ingest.encoding import BadEntry
from service.ingest.source import LogEntry
from service.visible import visible

LOGGED_LIMIT = 20
"""Entries that one run logs."""
PROBLEM_LENGTH_LIMIT = 300
"""Characters of a problem in the log."""

logger = logging.getLogger(__name__)


class BadEntries:
    """Reports bad entries.

    Args:
        path: The file to which they are added, one JSON object a line; None for none.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._logged = 0
        if path is not None:
            self.write("", [])

    def write(self, stream: str, bad: Sequence[BadEntry]) -> None:
        """Add entries to the file, and wait until they are on the disk; call it before the transaction ends.

        An entry may be there twice after a crash; stream and position name it.

        Raises:
            InvalidInput: The file cannot be written.
        """
        if self._path is None:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                for entry, problem in bad:
                    values = {"stream": stream, "position": entry.position, "problem": problem, "fields": entry.fields}
                    file.write(json.dumps(values, default=str) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InvalidInput(Problem(str(self._path), f"cannot be written ({error.strerror}).")) from error

    def log(self, stream: str, bad: Sequence[BadEntry]) -> None:
        """Log the first entries of a run."""
        for entry, problem in bad[: LOGGED_LIMIT - self._logged]:
            where = f"{stream}, entry {entry.position}"
            logger.warning("nothing is learnt from %s: it %s", where, visible(problem[:PROBLEM_LENGTH_LIMIT]))
            self._logged += 1
            if self._logged == LOGGED_LIMIT:
                logger.warning("further entries from which nothing is learnt are counted only")


def in_order(entries: Sequence[LogEntry], bad: Sequence[BadEntry]) -> list[BadEntry]:
    """Sort bad entries as they were read."""
    places = {entry.position: place for place, entry in enumerate(entries)} if bad else {}
    return sorted(bad, key=lambda one: places[one.entry.position])
