"""The model of an estimator, in this process or on a service, as a function from tensors to tensors."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np

from gdssm_client import extras
from gdssm_client.errors import NotFound
from gdssm_client.learning import drift
from gdssm_client.learning.artifact import WANT_SCALE
from gdssm_client.learning.errors import ServiceError
from gdssm_client.learning.levels import Levels
from gdssm_client.learning.sizes import Array
from gdssm_client.learning.tensor_inference import Infer
from gdssm_client.schemas import Manifest
from gdssm_client.secret import SupportsSecret

State = Mapping[str, Array]


@dataclass(frozen=True)
class Engine:
    """The model of an estimator."""

    manifest: Manifest
    infer: Infer
    levels: Levels = ()
    """The columns of x that are levels to `infer`."""

    def predict(
        self, state: State, query: Array, parameters: Mapping[str, Array], *, scale: bool = False
    ) -> Mapping[str, Array]:
        """Compute the outputs of the graph for a state and queries (M, D); the scale only if requested."""
        flag = {} if scale or not self.manifest.gives_scale else {WANT_SCALE: np.zeros(())}
        if drift.LOG_WEIGHT in state:
            now = drift.settled(self.manifest, self.infer, state)
            return drift.average(now, self.infer({**drift.of_model(now), **drift.asked(query), **flag}))
        return self.infer({**state, "x_query": query[None], **parameters, **flag})


@contextmanager
def open_engine(
    model: str, version: str | None, url: str | None, api_key: str | SupportsSecret | None, levels: Levels = ()
) -> Iterator[Engine]:
    """Open a model, for one call of an estimator.

    Args:
        model: Its name.
        version: The highest if left out.
        url: Of a service; None for this process.
        api_key: For the service.
        levels: The columns of x that are levels of categories; numbers to a model that does not know levels.

    Raises:
        ValueError: The model is unknown or refuses its input; here and inside the context. Without a URL, also: the
            service is not installed.
        ClientError: The service does not answer, or refuses otherwise.
    """
    try:
        if url is None:
            local = extras.load("gdssm_client.sklearn.local_models", "local_models")
            manifest = local.manifest_of(model, version)
            levels = levels if takes_levels(manifest) else ()
            yield Engine(manifest, local.function_of(model, manifest.version, levels), levels)
            return
        from gdssm_client.client import Client  # noqa: PLC0415  (a local estimator needs no httpx)

        with Client(url, api_key=api_key) as client:
            manifest = client.model(model, version)
            levels = levels if takes_levels(manifest) else ()
            yield Engine(manifest, partial(client.infer, model, version=manifest.version, levels=levels), levels)
    except (ServiceError, NotFound) as error:
        raise ValueError(str(error)) from error


def takes_levels(manifest: Manifest) -> bool:
    """Return whether columns of x may be levels of categories."""
    return "level" in manifest.column_kinds


def local_manifest(model: str) -> Manifest | None:
    """Return the manifest of a model in this process; None if there is none of this name, or no service."""
    try:
        with open_engine(model, None, None, None) as engine:
            return engine.manifest
    except ValueError:
        return None
