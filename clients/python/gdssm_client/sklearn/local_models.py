"""Models in this process, for estimators without a URL; the distribution of the service has them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from gdssm_client.decoding import decoder
from gdssm_client.learning.levels import Levels
from gdssm_client.learning.sizes import Array
from gdssm_client.learning.tensor_inference import Infer
from gdssm_client.schemas import Manifest
from service.errors import ServiceError
from service.inference.runtime import Runtime
from service.inference.tensor_inference import unlimited
from service.registry.repository import Repository
from service.settings import Settings


def manifest_of(name: str, version: str | None) -> Manifest:
    """Return the manifest of a model, of its highest version if none is given.

    Raises:
        ValueError: The model is unknown.
    """
    with _value_errors():
        return _found(_directories(), name, version)[1]


def function_of(name: str, version: str, levels: Levels) -> Infer:
    """Return a model as a function; it raises ValueError for input that it refuses.

    Args:
        name: Of the model.
        version: Of the model.
        levels: The columns of x that are levels of categories.
    """
    compute = unlimited(_found(_directories(), name, version)[0], levels)

    def infer(tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        with _value_errors():
            return compute(tensors)

    return infer


@contextmanager
def _value_errors() -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        raise ValueError(str(error)) from error


def _directories() -> tuple[Path, ...]:
    return tuple(Settings.from_environment().directories)


@lru_cache(maxsize=16)
def _found(directories: tuple[Path, ...], name: str, version: str | None) -> tuple[Runtime, Manifest]:
    runtime = _models(directories).get(name, version)
    return runtime, decoder(Manifest)(json.loads(runtime.manifest.model_dump_json()))


@lru_cache(maxsize=1)
def _models(directories: tuple[Path, ...]) -> Repository:
    return Repository.load(directories, threads=1)
