"""Where an estimator's model runs: in this process, or behind a URL. Both take and give tensors by name."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from service.runtime import Runtime
from service.settings import Settings

Array = NDArray[Any]


class Engine(Protocol):
    """A model that streams."""

    def observe(self, tensors: Mapping[str, Any]) -> dict[str, Array]:
        """Map a state (or none) and observations to the state after them."""

    def predict(self, tensors: Mapping[str, Any]) -> Array:
        """Map a state and queries to predictions (B, M, K)."""


@lru_cache(maxsize=32)
def engine(model: str, url: str | None, api_key: str | None) -> Engine:
    """Find the model, once a process."""
    del url, api_key
    return Local(Runtime.load(Path(Settings().zoo) / f"{model}.onnx"))


class Local:
    """A model file in this process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def observe(self, tensors: Mapping[str, Any]) -> dict[str, Array]:
        """Map a state (or none) and observations to the state after them."""
        return self._runtime.state_after(self._runtime.run(tensors))

    def predict(self, tensors: Mapping[str, Any]) -> Array:
        """Map a state and queries to predictions (B, M, K)."""
        return np.asarray(self._runtime.run(tensors)["prediction"])
