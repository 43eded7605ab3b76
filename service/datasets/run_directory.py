"""The results of a run on disk: a run that was interrupted continues where it was."""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from service.errors import Conflict, InvalidInput, Problem

FINGERPRINT, LOCK = "fingerprint", "lock"
DIGEST = 32
"""Bytes of the hash before each result: a file that a crash cut short is not taken for one."""


class RunDirectory:
    """Keeps the result of each finished task until the run has ended well.

    Args:
        path: The directory.
        resumed: Whether results of an interrupted run are there.
        changed: Whether there were some, of other files or options, which are removed.
    """

    def __init__(self, path: Path, *, resumed: bool, changed: bool) -> None:
        self.path, self.resumed, self.changed = path, resumed, changed

    @classmethod
    @contextmanager
    def opened(cls, path: Path, fingerprint: str) -> Iterator[Self]:
        """Open a directory for one run at a time; it is removed when the run ends without an error.

        Args:
            path: The directory.
            fingerprint: Of all that decides about the results: see `fingerprint_of`.

        Raises:
            Conflict: Another run has it.
            InvalidInput: It cannot be written.
        """
        with _locked(path):
            try:
                file = path / FINGERPRINT
                before = file.read_text("ascii") if file.exists() else None
                if before != fingerprint:
                    _clear(path)
                    file.write_text(fingerprint, "ascii")
            except OSError as error:
                raise _unwritable(path, error) from error
            try:
                yield cls(path, resumed=before == fingerprint, changed=before not in {None, fingerprint})
            except BaseException:
                if any(child.is_dir() for child in path.iterdir()):
                    raise
                shutil.rmtree(path, ignore_errors=True)  # there is nothing to continue
                raise
            shutil.rmtree(path, ignore_errors=True)

    def find(self, stage: str, place: int) -> bytes | None:
        """Return the result of a task; None if it is not there as a whole.

        Args:
            stage: The name of a sequence of tasks.
            place: Of the task in it.
        """
        try:
            found = (self.path / stage / str(place)).read_bytes()
        except FileNotFoundError:
            return None
        digest, result = found[:DIGEST], found[DIGEST:]
        return result if hashlib.sha256(result).digest() == digest else None

    def keep(self, stage: str, place: int, result: bytes) -> None:
        """Keep the result of a task.

        Raises:
            InvalidInput: It cannot be written.
        """
        path = self.path / stage / str(place)
        try:
            path.parent.mkdir(exist_ok=True)
            part = path.with_name(f"{path.name}.part")
            part.write_bytes(hashlib.sha256(result).digest() + result)
            part.replace(path)
        except OSError as error:
            raise _unwritable(path, error) from error


def fingerprint_of(values: Mapping[str, object]) -> str:
    """Hash what decides about the results of a run: files with their sizes and times, options, and the model."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Make and lock a directory; the end of the process unlocks it too.

    Raises:
        Conflict: Another process has it.
        InvalidInput: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / LOCK).open("wb")
    except OSError as error:
        raise _unwritable(path, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            text = f"Another run writes this output (its directory is {path}). Wait until it has ended."
            raise Conflict(text) from error
        yield


def _unwritable(path: Path, error: OSError) -> InvalidInput:
    return InvalidInput(Problem(str(path), f"cannot be written ({error.strerror})."))


def _clear(path: Path) -> None:
    for child in path.iterdir():
        if child.is_dir():
            shutil.rmtree(child)
        elif child.name != LOCK:
            child.unlink()
