"""The model files of some directories, with their state at the last scan."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from service.errors import BrokenArtifact
from service.inference.artifact import ModelKey, content_hash
from service.inference.runtime import Runtime
from service.registry import model_file
from service.registry.model_file import FileStamp, printable_name
from service.registry.sandbox import load_in_sandbox

CONCURRENT_TRIALS = 10
"""Sandboxes at a time: each uses a core for half a second, and a hundred megabytes."""
STAMP_RESOLUTION = 2.0
"""Seconds after which a file is read a second time although its stamp is the same: the coarsest resolution of a file
system's times."""


@dataclass(frozen=True)
class _ScannedFile:
    """A file at the last scan that read it."""

    stamp: FileStamp
    read_at: float
    """On the clock of `time.monotonic`."""
    settled: bool
    """Whether the file was read again after `STAMP_RESOLUTION` with the same stamp."""
    runtime: Runtime | None
    """The model; that of an earlier content if the present one is refused."""
    reason: str | None
    """Of the refusal of the present content."""


class Directories:
    """Reads a file again when it has changed, and keeps its model if the new content is refused.

    Args:
        paths: The directories. Files of the first one, which ships with the service, are trusted; all others are loaded
            in a sandbox first.
        threads: Threads that one run of a model may use.
        only: Name of the one model to load; all by default.
    """

    def __init__(self, paths: Sequence[Path], threads: int, only: str | None = None) -> None:
        self._paths = paths
        self._threads = threads
        self._only = only
        self._files: dict[Path, _ScannedFile] = {}
        self._directory_errors: dict[str, str] = {}
        self._trials: dict[Path, Future[bytes]] = {}
        """Running sandboxes, which return the digest of a loaded content."""

    def scan(self) -> Iterator[None]:
        """Scan the directories; yields after every file that was read, and raises for no content of a directory.

        Sandboxes run in parallel. The models of a directory that cannot be read, such as an unmounted one, are kept.
        """
        self._directory_errors = {}
        present = [path for directory in self._paths for path in self._list(directory)]
        for path in self._files.keys() - set(present):
            del self._files[path]
        yield
        changed = {path: stamp for path in present if (stamp := self._changed(path)) is not None}
        with ThreadPoolExecutor(CONCURRENT_TRIALS, "trial") as threads:
            untrusted = [path for path in changed if path.parent != self._paths[0]]
            self._trials = {path: threads.submit(self._try, path) for path in untrusted}
            for path, stamp in changed.items():
                self._update(path, stamp)
                yield

    def models(self) -> tuple[dict[ModelKey, Runtime], dict[str, str]]:
        """Return the models by name and version, and the reasons of refused files and directories by their names.

        Of two files with the same model the first one is used.
        """
        found: dict[ModelKey, Runtime] = {}
        refused = dict(self._directory_errors)
        for path, file in self._files.items():
            name = printable_name(path.name)
            if file.reason:
                refused[name] = file.reason
            if file.runtime and found.setdefault(file.runtime.manifest.key, file.runtime) is not file.runtime:
                model, version = file.runtime.manifest.key
                refused[name] = (
                    f"{name}: another file has a model {model!r} of version {version} already; "
                    "give each its own name or version."
                )
        return found, refused

    def _list(self, directory: Path) -> list[Path]:
        try:
            return model_file.list_files(directory)
        except OSError as error:
            text = f"{directory.name}: the directory cannot be read ({error.strerror})."
            self._directory_errors[directory.name] = text
            return [path for path in self._files if path.parent == directory]

    def _changed(self, path: Path) -> FileStamp | None:
        """Return the stamp of a file that is new or may have changed; None if it has not, or does not exist."""
        before, now = self._files.get(path), time.monotonic()
        try:
            stamp = model_file.stamp_of(path)
        except OSError:  # deleted since it was listed
            return None
        same = before is not None and before.stamp == stamp
        return None if before and same and (before.settled or now - before.read_at < STAMP_RESOLUTION) else stamp

    def _update(self, path: Path, stamp: FileStamp) -> None:
        """Read a file that may have changed."""
        before, now = self._files.get(path), time.monotonic()
        same = before is not None and before.stamp == stamp
        runtime, reason = self._read(path, before.runtime if before else None)
        if before and before.runtime and runtime and before.runtime.manifest.key != runtime.manifest.key:
            del self._files[path]  # moves the file to the end: files that already had this model have priority
        self._files[path] = _ScannedFile(stamp, now, same, runtime, reason)

    def _read(self, path: Path, before: Runtime | None) -> tuple[Runtime | None, str | None]:
        """Load the content of a file; returns the previous model and a reason if it is refused."""
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
            return before, f"{printable_name(path.name)}: {error}"

    def _try(self, path: Path) -> bytes:
        """Load the content of a file in a sandbox; returns its digest, or nothing if no sandbox is needed."""
        content, before = model_file.read(path), self._files.get(path)
        if not self._is_wanted(content) or _is_of(content, before.runtime if before else None):
            return b""
        load_in_sandbox(content)
        return digest(content)

    def _is_wanted(self, content: bytes) -> bool:
        return self._only is None or f'"name":"{self._only}"'.encode(errors="replace") in content


def _is_of(content: bytes, model: Runtime | None) -> bool:
    """Return whether a model was loaded from this content."""
    return model is not None and content_hash(content, model.manifest.sha256) == model.manifest.sha256


def digest(content: bytes) -> bytes:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(content).digest()
