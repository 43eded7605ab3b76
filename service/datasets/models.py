"""The models of the directories in the settings, for commands and their worker processes."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from service.errors import InvalidInput, Problem
from service.inference.checks import Limits
from service.inference.predictor import Predictor
from service.inference.runtime import Runtime
from service.registry.repository import Repository
from service.settings import Settings
from service.tables.predicting import CLASSIFIER
from service.tables.schema import TableSchema


def load_predictor(settings: Settings, model: str) -> Predictor:
    """Load the versions of one model, which is then the default."""
    limits = Limits(settings.max_columns, settings.max_predictions, settings.max_observations)
    return Predictor(Repository.load_one(settings.directories, settings.threads, model), model, limits)


def default_model(settings: Settings, schema: TableSchema) -> str:
    """Return the name of the model for a table, if none is named."""
    return CLASSIFIER if schema.task == "classification" else settings.default_model


@lru_cache(maxsize=2)
def worker_predictor(model: str) -> Predictor:
    """Load the versions of one model once in a process, by the settings of its environment."""
    return load_predictor(Settings.from_environment(), model)


@dataclass(frozen=True)
class ModelFile:
    """The file of a model, which a worker process must have too."""

    name: str
    version: str
    sha256: str

    @classmethod
    def of(cls, runtime: Runtime) -> Self:
        """Return the file of a loaded model."""
        return cls(runtime.manifest.name, runtime.manifest.version, runtime.manifest.sha256)

    def runtime(self, predictor: Predictor) -> Runtime:
        """Return the model.

        Raises:
            UnknownModel: This machine does not have it.
            InvalidInput: It has another file.
        """
        runtime = predictor.runtime(self.name, self.version)
        if runtime.manifest.sha256 != self.sha256:
            what = f"{self.name} {self.version} is another file in a worker process than where the command began."
            raise InvalidInput(Problem("model", f"{what} Run it again."))
        return runtime
