"""The model files that ship with the service, loaded, and predictors without limits."""

from pathlib import Path

import service
from service.inference.checks import UNLIMITED
from service.inference.predictor import Predictor
from service.inference.runtime import Runtime
from service.registry.repository import Repository

ZOO = Path(service.__file__).parent / "zoo"


def model_file(model: str) -> Path:
    """Return the file of a model."""
    return ZOO / f"{model}.onnx"


def runtime_of(model: str, threads: int = 1) -> Runtime:
    """Load a model."""
    return Runtime.load(model_file(model), threads)


def predictor_of(model: str) -> Predictor:
    """Load all models; the one named is the default of the predictor."""
    return Predictor(Repository.load([ZOO], threads=1), model, UNLIMITED)
