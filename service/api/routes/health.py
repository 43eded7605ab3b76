"""GET /health/live and /health/ready, for the supervisor of the process."""

from typing import Literal

from fastapi import APIRouter

from service import errors
from service.api.errors import documented
from service.api.served import StateDep
from service.schemas.schema import Schema

router = APIRouter(prefix="/health", tags=["health"])


class Health(Schema):
    """The answer to a health probe."""

    status: Literal["live", "ready"]


@router.get("/live", responses=documented())
async def live() -> Health:
    """Answer as long as the process does."""
    return Health(status="live")


@router.get("/ready", responses=documented(errors.NotReady, errors.DatabaseUnavailable))
async def ready(parts: StateDep) -> Health:
    """Answer 200 once the default model is loaded and until the service is told to stop, 503 otherwise.

    A file of a SQLite database that was deleted or replaced is 503 too.
    """
    parts.check_ready()
    return Health(status="ready")
