"""The model files of some directories, as they were last found."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from service.errors import BrokenArtifact
from service.inference.artifact import content_hash
from service.inference.runtime import Runtime
from service.registry import model_file
from service.registry.catalogue import Key, key_of
from service.registry.model_file import Stamp, printable
from service.registry.sandbox import load_in_sandbox

CONCURRENT_TRIALS = 10
"""Files on trial at a time: each takes a core for half a second, and a hundred megabytes."""
STAMP_RESOLUTION = 2.0
"""Seconds after which a file is read once more though its stamp is the same: no file system's clock is coarser."""


@dataclass(frozen=True)
class _File:
    """A file as it was found."""

    stamp: Stamp
    looked: float
    settled: bool
    runtime: Runtime | None
    """The model; of an earlier content, if the present one is refused."""
    reason: str | None
    """Why the present content is refused."""


class Directories:
    """Reads a file again when it has changed, and keeps its model while a new content is refused.

    Args:
        paths: The directories. The first one ships with the service; what lies in the others is tried out in a process
            of its own before it is opened in this one.
        threads: Threads that one run of a model may use.
        only: Name of the one model that is opened; all are, if left out.
    """

    def __init__(self, paths: Sequence[Path], threads: int, only: str | None = None) -> None:
        self._paths = paths
        self._threads = threads
        self._only = only
        self._files: dict[Path, _File] = {}
        self._troubles: dict[str, str] = {}
        self._trials: dict[Path, Future[bytes]] = {}
        """Those that are on their way, each with the digest of what is tried out."""

    def scan(self) -> Iterator[None]:
        """Look at the directories again; pauses after every file that was read, and never raises for what lies there.

        Files that have to be tried out are so side by side.
        A directory that cannot be read (a mount that is away) keeps what was found in it.
        """
        self._troubles = {}
        present = [path for directory in self._paths for path in self._listed(directory)]
        for path in self._files.keys() - set(present):
            del self._files[path]
        yield
        changed = {path: stamp for path in present if (stamp := self._changed(path)) is not None}
        with ThreadPoolExecutor(CONCURRENT_TRIALS, "trial") as threads:
            strange = [path for path in changed if path.parent != self._paths[0]]
            self._trials = {path: threads.submit(self._try_first, path) for path in strange}
            for path, stamp in changed.items():
                self._look(path, stamp)
                yield

    def models(self) -> tuple[dict[Key, Runtime], dict[str, str]]:
        """Every model by name and version, and the reason of every file or directory that is refused, by its name.

        Of two files with the same model the first one found has it.
        """
        found: dict[Key, Runtime] = {}
        refused = dict(self._troubles)
        for path, file in self._files.items():
            name = printable(path.name)
            if file.reason:
                refused[name] = file.reason
            if file.runtime and found.setdefault(key_of(file.runtime), file.runtime) is not file.runtime:
                model, version = key_of(file.runtime)
                refused[name] = (
                    f"{name}: another file has a model {model!r} of version {version} already; "
                    "give each its own name or version."
                )
        return found, refused

    def _listed(self, directory: Path) -> list[Path]:
        try:
            return model_file.listing(directory)
        except OSError as error:
            self._troubles[directory.name] = f"{directory.name}: the directory cannot be read ({error.strerror})."
            return [path for path in self._files if path.parent == directory]

    def _changed(self, path: Path) -> Stamp | None:
        """Stamp a file that is new, or may have changed since it was looked at; None if it has not, or is gone."""
        before, now = self._files.get(path), time.monotonic()
        try:
            stamp = model_file.stamp(path)
        except OSError:  # gone since it was listed
            return None
        same = before is not None and before.stamp == stamp
        return None if before and same and (before.settled or now - before.looked < STAMP_RESOLUTION) else stamp

    def _look(self, path: Path, stamp: Stamp) -> None:
        """Read a file that may have changed."""
        before, now = self._files.get(path), time.monotonic()
        same = before is not None and before.stamp == stamp
        runtime, reason = self._read(path, before.runtime if before else None)
        if before and before.runtime and runtime and key_of(before.runtime) != key_of(runtime):
            del self._files[path]  # another model has no right to the place of this one: other files come first
        self._files[path] = _File(stamp, now, same, runtime, reason)

    def _read(self, path: Path, before: Runtime | None) -> tuple[Runtime | None, str | None]:
        """Make a model of a file's present content; if that fails, the model that was there stays."""
        trial = self._trials.pop(path, None)
        try:
            content = model_file.read(path)
            if not self._is_wanted(content):
                return None, None
            if _is_of(content, before):
                return before, None
            if path.parent != self._paths[0] and (trial is None or trial.result() != digest(content)):
                load_in_sandbox(content)
            return Runtime.of_bytes(content, self._threads), None
        except BrokenArtifact as error:
            return before, f"{printable(path.name)}: {error}"

    def _try_first(self, path: Path) -> bytes:
        """Try out what `_read` will; returns the digest of what passed, or nothing if it needs no trial."""
        content, before = model_file.read(path), self._files.get(path)
        if not self._is_wanted(content) or _is_of(content, before.runtime if before else None):
            return b""
        load_in_sandbox(content)
        return digest(content)

    def _is_wanted(self, content: bytes) -> bool:
        return self._only is None or f'"name":"{self._only}"'.encode(errors="replace") in content


def _is_of(content: bytes, model: Runtime | None) -> bool:
    """Tell whether a model was made of this content."""
    return model is not None and content_hash(content, model.manifest.sha256) == model.manifest.sha256


def digest(content: bytes) -> bytes:
    """Hash a whole file."""
    return hashlib.sha256(content).digest()
