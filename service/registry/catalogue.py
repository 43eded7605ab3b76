"""An immutable snapshot of the models, in service or not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from service.errors import NotReady, UnknownModel
from service.inference.runtime import Runtime

ModelKey = tuple[str, str]
"""Name and version."""


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
class Catalogue:
    """The models of all files, the disabled ones among them, and the refused files."""

    found: Mapping[ModelKey, Runtime] = field(default_factory=dict)
    disabled: frozenset[ModelKey] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)
    """Reasons by file name."""

    @cached_property
    def served(self) -> tuple[Runtime, ...]:
        """Every model in service, by name, the highest version of each first."""
        enabled = [runtime for key, runtime in self.found.items() if key not in self.disabled]
        newest_first = sorted(enabled, key=lambda runtime: version_order(runtime.manifest.version), reverse=True)
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

    def keys(self, name: str, version: str | None) -> set[ModelKey]:
        """Return the key of a model, in service or not; by default the keys of all versions."""
        return {key for key in self.found if key[0] == name and version in {None, key[1]}}

    def index(self) -> list[IndexEntry]:
        """List the models, in service or not, then the refused files."""
        models = [
            IndexEntry(*key, "UNAVAILABLE", "an administrator unloaded it.")
            if key in self.disabled
            else IndexEntry(*key, "READY", "")
            for key in sorted(self.found, key=lambda key: (key[0], version_order(key[1])))
        ]
        files = (IndexEntry(file.removesuffix(".onnx"), "", "UNAVAILABLE", why) for file, why in self.refused.items())
        return [*models, *files]


def key_of(runtime: Runtime) -> ModelKey:
    """Return the name and version of a model."""
    return runtime.manifest.name, runtime.manifest.version


def version_order(version: str) -> tuple[int, ...]:
    """Return the sort key of a version: 1.10.0 is above 1.9.0."""
    return tuple(map(int, version.split(".")))
