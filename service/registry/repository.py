"""The models of some directories, kept up to date while they are served."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Self

from service.errors import DatabaseUnavailable, UnknownModel
from service.inference.runtime import Runtime
from service.registry.catalogue import Catalogue, IndexEntry, Key, key_of
from service.registry.directories import Directories
from service.registry.disabled_models import InMemoryDisabledModels, Unloaded

logger = logging.getLogger(__name__)

FIRST_SCAN_TIMEOUT = 15.0
"""Seconds for which the start waits for models: a file on trial has `sandbox.SECONDS`, many have them side by side."""


@dataclass(frozen=True)
class Event:
    """Something that happened to what is served."""

    kind: Literal["loaded", "removed", "refused"]
    """loaded: new, replaced or put back; removed: gone or taken out; refused: the content of a file is not served."""
    model: str
    """Name and version; the file's name if it was refused."""
    reason: str = ""


def _fulfil(future: Future[None], work: Callable[[], None]) -> None:
    try:
        work()
        future.set_result(None)
    except BaseException as error:  # noqa: BLE001  (raised where it is awaited)
        future.set_exception(error)


def ignore_event(_: Event) -> None:
    """Nobody listens."""


class Repository:
    """Models by name and version; lookups never wait, and changes are made at one stroke.

    Whoever got a Runtime keeps it: a replaced one lives on until its last request is answered.

    Args:
        directories: Of model files; see `Directories`.
        threads: Threads that one run of a model may use.
        unloaded: What administrators took out of service.
        on_event: Told of everything that happens, in the order in which it does.
        only: Name of the one model that is loaded; all are, if left out.
    """

    def __init__(
        self,
        directories: Sequence[Path] = (),
        threads: int = 1,
        unloaded: Unloaded | None = None,
        on_event: Callable[[Event], None] = ignore_event,
        only: str | None = None,
    ) -> None:
        self._directories = Directories(directories, threads, only)
        self._unloaded: Unloaded = unloaded or InMemoryDisabledModels()
        self._on_event = on_event
        self._catalogue = Catalogue()
        self._changing = threading.Lock()

    @classmethod
    def load(
        cls,
        directories: Sequence[Path],
        threads: int,
        unloaded: Unloaded | None = None,
        on_event: Callable[[Event], None] = ignore_event,
    ) -> Self:
        """Load every `.onnx` file of some directories; a broken one is refused with its reason, the others served.

        What takes longer than `FIRST_SCAN_TIMEOUT` is served when it is there.
        """
        repository = cls(directories, threads, unloaded, on_event)
        look = Future[None]()
        threading.Thread(target=partial(_fulfil, look, repository.rescan), name="first look", daemon=True).start()
        with suppress(TimeoutError):
            look.result(FIRST_SCAN_TIMEOUT)
        if not repository.served():
            logger.error("no model is loaded from %s", ", ".join(map(str, directories)))
        return repository

    @classmethod
    def load_one(cls, directories: Sequence[Path], threads: int, name: str) -> Self:
        """Load the versions of one model and spend no time on others; all models, if there is none of that name."""
        repository = cls(directories, threads, only=name)
        repository.rescan()
        return repository if repository.served() else cls.load(directories, threads)

    def get(self, name: str, version: str | None = None) -> Runtime:
        """Find a model; the highest version in service if none is named.

        Raises:
            NotReady: No model is in service at all.
            UnknownModel: There are models, but not this one.
        """
        return self._catalogue.get(name, version)

    def served(self) -> list[Runtime]:
        """Every model in service, by name, the highest version of each first."""
        return list(self._catalogue.served)

    @property
    def refused(self) -> dict[str, str]:
        """Reason by file name, for every file whose present content is not served."""
        return dict(self._catalogue.refused)

    def index(self) -> list[IndexEntry]:
        """List the models, in service or not, then the files that were refused."""
        return self._catalogue.index()

    def load_model(self, name: str, version: str | None = None) -> None:
        """Put a model back into service, for every process that shares the database; all versions if none is named.

        Raises:
            UnknownModel: No file has it.
            DatabaseUnavailable: The database does not answer.
        """
        self.rescan()
        self._unloaded.remove(self._keys(name, version))
        self.rescan()

    def unload_model(self, name: str, version: str | None = None) -> None:
        """Take a model out of service, for every process that shares the database; all versions if none is named.

        Raises:
            UnknownModel: No file has it.
            DatabaseUnavailable: The database does not answer.
        """
        self._unloaded.add(self._keys(name, version))
        self.rescan()

    def rescan(self) -> None:
        """Look at the directories and at what is unloaded again, and serve accordingly; it may wait, for a file."""
        with self._changing:
            unloaded = self._read_unloaded()
            for _ in self._directories.scan():
                found, refused = self._directories.models()
                before, self._catalogue = self._catalogue, Catalogue(found, unloaded, refused)
                self._tell(before, self._catalogue)

    def _keys(self, name: str, version: str | None) -> set[Key]:
        keys = self._catalogue.keys(name, version)
        if not keys:
            raise UnknownModel(name, sorted({name for name, _ in self._catalogue.found}))
        return keys

    def _read_unloaded(self) -> frozenset[Key]:
        try:
            return self._unloaded.read()
        except DatabaseUnavailable:
            logger.warning("the database does not say which models are unloaded; its last answer holds")
            return self._catalogue.unloaded

    def _tell(self, before: Catalogue, after: Catalogue) -> None:
        old, new = ({key_of(runtime): runtime for runtime in catalogue.served} for catalogue in (before, after))
        events = [
            *(Event("refused", file, why) for file, why in after.refused.items() if before.refused.get(file) != why),
            *(Event("removed", " ".join(key)) for key in old if key not in new),
            *(Event("loaded", " ".join(key)) for key, runtime in new.items() if old.get(key) is not runtime),
        ]
        for event in events:
            if event.kind == "refused":
                logger.error("refused %s", event.reason)
            else:
                logger.info("%s %s", event.kind, event.model)
            self._on_event(event)
