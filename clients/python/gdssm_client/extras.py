"""Modules that need more than the client's own dependencies."""

from importlib import import_module
from typing import Any

from gdssm_client.errors import InvalidArgument

REMEDIES = {
    "local": "Give the URL of a service, as Client('http://…') or GDSSM_URL; or install the service, to run it in this "
    "process: pip install '.[client]' in a checkout of gdssm.",
    "stream": "A stream needs websockets: pip install websockets.",
}
"""By the extra of gdssm-client."""


def load(module: str, extra: str) -> Any:  # noqa: ANN401  (a module)
    """Import a module.

    Raises:
        InvalidArgument: What it needs is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise InvalidArgument(f"{error.name} is not installed. {REMEDIES[extra]}") from error
