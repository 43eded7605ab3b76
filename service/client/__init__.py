"""The former place of the Python client, for one release: it is `gdssm_client` now."""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdssm_client import AsyncClient, Client
    from gdssm_client.sklearn import GDSSMClassifier, GDSSMRegressor

__all__ = ["AsyncClient", "Client", "GDSSMClassifier", "GDSSMRegressor"]

NEW_PLACES = {
    "AsyncClient": "gdssm_client",
    "Client": "gdssm_client",
    "GDSSMClassifier": "gdssm_client.sklearn",
    "GDSSMRegressor": "gdssm_client.sklearn",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (a module's attributes are of any type)
    if name not in NEW_PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place = NEW_PLACES[name]
    message = f"service.client is {place} now: from {place} import {name}. The former name goes with the next release."
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return getattr(import_module(place), name)


def __dir__() -> list[str]:
    return __all__
