"""A file of JSON lines as a source: positions are the bytes before the next line. Lines may still be added."""

import json
from pathlib import Path
from typing import BinaryIO

from service.errors import InvalidInput, Problem, SourceUnavailable
from service.ingest.payload import entry_of_json
from service.ingest.source import LogEntry

LINE_LIMIT = 2**20
"""Bytes of a line that is read; a longer one is an entry with a problem."""


class JsonLines:
    """Objects in the lines of a file, which grows at its end only.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self.name = str(self._path)

    def read(self, after: str | None, count: int) -> list[LogEntry]:
        """Read the lines after a byte; see `LogSource`. A last line without its end is read once it is an object."""
        found, start = list[LogEntry](), int(after or 0)
        with self._open() as file:
            size = file.seek(0, 2)
            if start > size:
                text = f"has {size} bytes, and was read up to byte {start} before. Name another --consumer."
                raise InvalidInput(Problem(self.name, text))
            file.seek(start)
            while len(found) < count and (entry := _next(file)):
                found.append(entry)
        return found

    def end(self) -> str | None:
        """Return None: a file is read from its beginning."""
        return None

    def close(self) -> None:
        """Do nothing: the file is closed after each read."""

    def _open(self) -> BinaryIO:
        if self._path.is_fifo():
            raise InvalidInput(Problem(self.name, "is a pipe, which is read once. Name a file of JSON lines."))
        try:
            return self._path.open("rb")
        except FileNotFoundError:
            raise InvalidInput(Problem(self.name, "does not exist. Name a file of JSON lines.")) from None
        except IsADirectoryError:
            raise InvalidInput(Problem(self.name, "is a directory. Name a file of JSON lines.")) from None
        except OSError as error:
            raise SourceUnavailable(f"{self.name} cannot be read ({error.strerror}).") from error


def _next(file: BinaryIO) -> LogEntry | None:
    """Read the next line with text; None at the end of the file, or of its last complete line."""
    line = file.readline(LINE_LIMIT)
    while line.endswith(b"\n") and not line.strip():
        line = file.readline(LINE_LIMIT)
    if line.endswith(b"\n") or _is_object(line):
        return entry_of_json(str(file.tell()), line)  # words: allow
    if len(line) < LINE_LIMIT:
        return None
    while line and not line.endswith(b"\n"):
        line = file.readline(LINE_LIMIT)
    return LogEntry(str(file.tell()), {}, f"has over {LINE_LIMIT} bytes.") if line else None  # words: allow


def _is_object(line: bytes) -> bool:
    """Return whether the beginning of a line is a whole object already."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
