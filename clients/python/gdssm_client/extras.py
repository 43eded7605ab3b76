"""Modules that need more than the client's own dependencies."""

from importlib import import_module
from typing import Any

from gdssm_client.errors import InvalidArgument

WITH_SERVICE = "or install the service, to run it in this process: pip install '.[client]' in a checkout of gdssm."
REMEDIES = {
    "local": f"Give the URL of a service, as Client('http://…') or GDSSM_URL; {WITH_SERVICE}",
    "local_models": f"Give the URL of a service, as GDSSMRegressor(url='http://…'); {WITH_SERVICE}",
    "stream": "A stream needs websockets: pip install websockets.",
}
"""By the module that uses them: the name of an extra of gdssm-client, or of a module."""


def load(module: str, extra: str) -> Any:  # noqa: ANN401  (a module)
    """Import a module.

    Raises:
        InvalidArgument: The packages that it needs are not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise InvalidArgument(f"{error.name} is not installed. {REMEDIES[extra]}") from error
