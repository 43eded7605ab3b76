"""The models of some directories, updated while they are served."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Literal, Self

from service.errors import DatabaseUnavailable, NotReady, UnknownModel
from service.inference.artifact import ModelKey
from service.inference.runtime import Runtime
from service.registry.directories import Directories
from service.registry.disabled_models import DisabledModels, InMemoryDisabledModels

logger = logging.getLogger(__name__)

FIRST_SCAN_TIMEOUT = 15.0
"""Seconds that the start waits for models: more than `sandbox.LOAD_TIMEOUT`, as sandboxes run in parallel."""


@dataclass(frozen=True)
class IndexEntry:
    """An entry of the administrators' list: a model or a refused file."""

    name: str
    version: str
    """Empty for a refused file."""
    state: Literal["READY", "UNAVAILABLE"]
    reason: str
    """Of UNAVAILABLE; empty for READY."""


@dataclass(frozen=True)
class _Catalogue:
    """An immutable snapshot: the models of all files, the disabled ones among them, and the refused files."""

    found: Mapping[ModelKey, Runtime] = field(default_factory=dict)
    disabled: frozenset[ModelKey] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)
    """Reasons by file name."""

    @cached_property
    def served(self) -> tuple[Runtime, ...]:
        """Every model in service, by name, the highest version of each first."""
        enabled = [runtime for key, runtime in self.found.items() if key not in self.disabled]
        newest_first = sorted(enabled, key=lambda runtime: _version_order(runtime.manifest.version), reverse=True)
        return tuple(sorted(newest_first, key=lambda runtime: runtime.manifest.name))

    @cached_property
    def _versions(self) -> dict[str, list[Runtime]]:
        """The models in service by name, the highest version first."""
        versions: dict[str, list[Runtime]] = {}
        for runtime in self.served:
            versions.setdefault(runtime.manifest.name, []).append(runtime)
        return versions

    def get(self, name: str, version: str | None) -> Runtime:
        """Return a model in service; by default its highest version.

        Raises:
            NotReady: No model is in service.
            UnknownModel: Other models are in service.
        """
        versions = self._versions.get(name, ())
        for runtime in versions:
            if version is None or version == runtime.manifest.version:
                return runtime
        if not self.served:
            raise NotReady(
                "No model is loaded. Look at GDSSM_ZOO and GDSSM_MODELS, and at the log for files that were refused."
            )
        if versions:
            raise UnknownModel(name, [runtime.manifest.version for runtime in versions], version)
        raise UnknownModel(name, sorted(self._versions))

    def keys(self, name: str, version: str | None) -> set[ModelKey]:
        """Return the key of a model, in service or not; by default the keys of all versions."""
        return {key for key in self.found if key[0] == name and version in {None, key[1]}}

    def index(self) -> list[IndexEntry]:
        """List the models, in service or not, then the refused files."""
        models = [
            IndexEntry(*key, "UNAVAILABLE", "an administrator unloaded it.")
            if key in self.disabled
            else IndexEntry(*key, "READY", "")
            for key in sorted(self.found, key=lambda key: (key[0], _version_order(key[1])))
        ]
        files = (IndexEntry(file.removesuffix(".onnx"), "", "UNAVAILABLE", why) for file, why in self.refused.items())
        return [*models, *files]


@dataclass(frozen=True)
class ModelEvent:
    """A change of the models in service."""

    kind: Literal["loaded", "removed", "refused"]
    """loaded: new, replaced or enabled; removed: deleted or disabled; refused: the content of a file is not served."""
    model: str
    """Name and version, or the name of a refused file."""
    reason: str = ""
    """Of a refusal."""


def _run_into(future: Future[None], work: Callable[[], None]) -> None:
    try:
        work()
        future.set_result(None)
    except BaseException as error:  # noqa: BLE001  (raised by `future.result`)
        future.set_exception(error)


def ignore_event(_: ModelEvent) -> None:
    """Do nothing."""


class Repository:
    """Models by name and version; look-ups never block, and changes are atomic.

    A replaced model remains usable for requests that have it.

    Args:
        directories: Of model files; see `Directories`.
        threads: Threads that one run of a model may use.
        disabled: The models that administrators took out of service; by default in memory.
        on_event: Called with every change, in order.
        only: Name of the one model to load; all by default.
    """

    def __init__(
        self,
        directories: Sequence[Path] = (),
        threads: int = 1,
        disabled: DisabledModels | None = None,
        on_event: Callable[[ModelEvent], None] = ignore_event,
        only: str | None = None,
    ) -> None:
        self._directories = Directories(directories, threads, only)
        self._disabled: DisabledModels = disabled or InMemoryDisabledModels()
        self._on_event = on_event
        self._catalogue = _Catalogue()
        self._scan_lock = threading.Lock()

    @classmethod
    def load(
        cls,
        directories: Sequence[Path],
        threads: int,
        disabled: DisabledModels | None = None,
        on_event: Callable[[ModelEvent], None] = ignore_event,
    ) -> Self:
        """Load every `.onnx` file of some directories; a broken one is refused with a reason, and the others served.

        Models that take longer than `FIRST_SCAN_TIMEOUT` are served later.
        """
        repository = cls(directories, threads, disabled, on_event)
        scan = Future[None]()
        threading.Thread(target=partial(_run_into, scan, repository.rescan), name="first scan", daemon=True).start()
        with suppress(TimeoutError):
            scan.result(FIRST_SCAN_TIMEOUT)
        if not repository.served():
            logger.error("no model is loaded from %s", ", ".join(map(str, directories)))
        return repository

    @classmethod
    def load_one(cls, directories: Sequence[Path], threads: int, name: str) -> Self:
        """Load the versions of one model only; all models if none has that name."""
        repository = cls(directories, threads, only=name)
        repository.rescan()
        return repository if repository.served() else cls.load(directories, threads)

    def get(self, name: str, version: str | None = None) -> Runtime:
        """Return a model in service; by default its highest version.

        Raises:
            NotReady: No model is in service.
            UnknownModel: Other models are in service.
        """
        return self._catalogue.get(name, version)

    def served(self) -> list[Runtime]:
        """Return the models in service, by name, the highest version of each first."""
        return list(self._catalogue.served)

    @property
    def refused(self) -> dict[str, str]:
        """Reasons by file name, for files whose present content is refused."""
        return dict(self._catalogue.refused)

    def index(self) -> list[IndexEntry]:
        """List the models, in service or not, then the refused files."""
        return self._catalogue.index()

    def load_model(self, name: str, version: str | None = None) -> None:
        """Put a model back into service, in every process that shares the database; by default all versions.

        Raises:
            UnknownModel: No file has it.
            DatabaseUnavailable: The database does not answer.
        """
        self.rescan()
        self._disabled.remove(self._keys(name, version))
        self.rescan()

    def unload_model(self, name: str, version: str | None = None) -> None:
        """Take a model out of service, in every process that shares the database; by default all versions.

        Raises:
            UnknownModel: No file has it.
            DatabaseUnavailable: The database does not answer.
        """
        self._disabled.add(self._keys(name, version))
        self.rescan()

    def rescan(self) -> None:
        """Scan the directories and the disabled models, and update the models in service; may block on a file."""
        with self._scan_lock:
            disabled = self._read_disabled()
            for _ in self._directories.scan():
                found, refused = self._directories.models()
                before, self._catalogue = self._catalogue, _Catalogue(found, disabled, refused)
                self._report(before, self._catalogue)

    def _keys(self, name: str, version: str | None) -> set[ModelKey]:
        keys = self._catalogue.keys(name, version)
        if not keys:
            raise UnknownModel(name, sorted({name for name, _ in self._catalogue.found}))
        return keys

    def _read_disabled(self) -> frozenset[ModelKey]:
        try:
            return self._disabled.read()
        except DatabaseUnavailable:
            logger.warning("the disabled models cannot be read from the database; those of the last scan stay disabled")
            return self._catalogue.disabled

    def _report(self, before: _Catalogue, after: _Catalogue) -> None:
        old, new = ({runtime.manifest.key: runtime for runtime in catalogue.served} for catalogue in (before, after))
        refusals = [(file, why) for file, why in after.refused.items() if before.refused.get(file) != why]
        events = [
            *(ModelEvent("refused", file, why) for file, why in refusals),
            *(ModelEvent("removed", " ".join(key)) for key in old if key not in new),
            *(ModelEvent("loaded", " ".join(key)) for key, runtime in new.items() if old.get(key) is not runtime),
        ]
        for event in events:
            if event.kind == "refused":
                logger.error("refused %s", event.reason)
            else:
                logger.info("%s %s", event.kind, event.model)
            self._on_event(event)


def _version_order(version: str) -> tuple[int, ...]:
    """Return the sort key of a version: 1.10.0 is above 1.9.0."""
    return tuple(map(int, version.split(".")))
