"""GET /health/live and /health/ready, for the supervisor of the process."""

from typing import Literal

from service import errors
from service.api.dependencies import StateDep
from service.api.endpoint import EndpointRouter
from service.schemas.schema import Schema

router = EndpointRouter("/health", "health")


class Health(Schema):
    """The answer to a health probe."""

    status: Literal["live", "ready"]


@router.endpoint("GET", "/live")
async def live() -> Health:
    """Answer as long as the process does."""
    return Health(status="live")


@router.endpoint("GET", "/ready", errors=(errors.NotReady, errors.DatabaseUnavailable))
async def ready(state: StateDep) -> Health:
    """Answer 200 once the default model is loaded and until the service is told to stop, 503 otherwise.

    A file of a SQLite database that was deleted or replaced is 503 too.
    """
    state.check_ready()
    return Health(status="ready")
