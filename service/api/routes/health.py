"""GET /health/live and /health/ready, for the supervisor of the process."""

from importlib.metadata import version
from typing import Literal

from pydantic import ConfigDict

from service import errors
from service.api.endpoint import EndpointRouter
from service.api.request import StateDep
from service.schemas.schema import Schema

VERSION = version("gdssm")

router = EndpointRouter("/health", "health")


class Health(Schema):
    """The answer to a health probe."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    status: Literal["live", "ready"]
    version: str = VERSION
    """Of the service."""


@router.endpoint("GET", "/live")
async def check_liveness() -> Health:
    """Return 200 while the process responds."""
    return Health(status="live")


@router.endpoint("GET", "/ready", errors=(errors.NotReady, errors.DatabaseUnavailable))
async def check_readiness(state: StateDep) -> Health:
    """Return 200 once the default model is loaded and until the service begins to stop, otherwise 503.

    Also 503 if the file of a SQLite database was deleted or replaced.
    """
    state.check_ready()
    return Health(status="ready")
