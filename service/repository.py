"""The model files of a directory, by name."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from service.errors import BrokenArtifact, NotReady, UnknownModel
from service.runtime import Runtime

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Repository:
    """The models that are served, and the files that are not and why."""

    models: dict[str, Runtime]
    refused: dict[str, str] = field(default_factory=dict)
    """Reason by file name."""

    @classmethod
    def load(cls, directory: Path, threads: int) -> Self:
        """Load every `.onnx` file of a directory; a broken one is refused with its reason, the others are served."""
        models: dict[str, Runtime] = {}
        refused: dict[str, str] = {}
        for path in sorted(directory.glob("*.onnx")):
            try:
                runtime = Runtime.load(path, threads)
            except BrokenArtifact as error:
                logger.error("refused %s", error)
                refused[path.name] = str(error)
                continue
            name = runtime.manifest.name
            if name in models:
                refused[path.name] = f"{path.name}: another file has a model {name!r} already; give each its own name."
                logger.error("refused %s", refused[path.name])
            else:
                models[name] = runtime
                logger.info("loaded %s %s from %s", name, runtime.manifest.version, path)
        if not models:
            logger.error("no model is loaded from %s", directory)
        return cls(models, refused)

    def get(self, name: str) -> Runtime:
        """Find a model.

        Raises:
            NotReady: No model is loaded at all.
            UnknownModel: There are models, but none of that name.
        """
        if not self.models:
            raise NotReady("No model is loaded. Look at GDSSM_ZOO, and at the log for files that were refused.")
        if name not in self.models:
            raise UnknownModel(name, sorted(self.models))
        return self.models[name]
