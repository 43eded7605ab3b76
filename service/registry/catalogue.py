"""Which models there are at one moment: immutable, so that whoever holds one or a model of it is never surprised."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from service.errors import NotReady, UnknownModel
from service.inference.runtime import Runtime

Key = tuple[str, str]
"""Name and version."""


@dataclass(frozen=True)
class IndexEntry:
    """One line of the administrator's list: a model, or a file that could not become one."""

    name: str
    version: str
    """Empty where the file could not be read so far."""
    state: Literal["READY", "UNAVAILABLE"]
    reason: str
    """Why it is unavailable; empty if it is not."""


@dataclass(frozen=True)
class Catalogue:
    """The models of all files, those that an administrator took out of service, and the files that were refused."""

    found: Mapping[Key, Runtime] = field(default_factory=dict)
    unloaded: frozenset[Key] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)
    """Reason by file name."""

    @cached_property
    def served(self) -> tuple[Runtime, ...]:
        """Every model in service, by name, the highest version of each first."""
        loaded = [runtime for key, runtime in self.found.items() if key not in self.unloaded]
        newest_first = sorted(loaded, key=lambda runtime: order(runtime.manifest.version), reverse=True)
        return tuple(sorted(newest_first, key=lambda runtime: runtime.manifest.name))

    @cached_property
    def _versions(self) -> dict[str, list[Runtime]]:
        """Those in service by name, the highest first."""
        versions: dict[str, list[Runtime]] = {}
        for runtime in self.served:
            versions.setdefault(runtime.manifest.name, []).append(runtime)
        return versions

    def get(self, name: str, version: str | None) -> Runtime:
        """Find a model in service; the highest version if none is named.

        Raises:
            NotReady: No model is in service at all.
            UnknownModel: There are models, but not this one.
        """
        if not self.served:
            raise NotReady(
                "No model is loaded. Look at GDSSM_ZOO and GDSSM_MODELS, and at the log for files that were refused."
            )
        versions = self._versions.get(name, ())
        for runtime in versions:
            if version in {None, runtime.manifest.version}:
                return runtime
        if versions:
            raise UnknownModel(name, [runtime.manifest.version for runtime in versions], version)
        raise UnknownModel(name, sorted(self._versions))

    def keys(self, name: str, version: str | None) -> set[Key]:
        """Find a model among all, in service or not; all its versions if none is named."""
        return {key for key in self.found if key[0] == name and version in {None, key[1]}}

    def index(self) -> list[IndexEntry]:
        """List the models, in service or not, then the files that were refused."""
        models = [
            IndexEntry(*key, "UNAVAILABLE", "an administrator unloaded it.")
            if key in self.unloaded
            else IndexEntry(*key, "READY", "")
            for key in sorted(self.found, key=lambda key: (key[0], order(key[1])))
        ]
        files = (IndexEntry(file.removesuffix(".onnx"), "", "UNAVAILABLE", why) for file, why in self.refused.items())
        return [*models, *files]


def key_of(runtime: Runtime) -> Key:
    """Name and version of a model."""
    return runtime.manifest.name, runtime.manifest.version


def order(version: str) -> tuple[int, ...]:
    """Versions compare by their numbers: 1.10.0 is above 1.9.0."""
    return tuple(map(int, version.split(".")))
