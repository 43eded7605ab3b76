"""GET /v2 and /v2/health/…: what the server is, and whether it can infer."""

from importlib.metadata import version

from fastapi import APIRouter

from service import errors
from service.api.errors import documented
from service.api.routes.v2.schemas import ServerLive, ServerMetadata, ServerReady
from service.api.served import StateDep

EXTENSIONS = ["binary_tensor_data", "parameters", "model_repository", "model_repository(unload_dependents)"]

router = APIRouter(prefix="/v2", tags=["open inference protocol"])


@router.get("", responses=documented())
async def metadata() -> ServerMetadata:
    """Say what the server is, and what it can beyond the protocol."""
    return ServerMetadata(name="gdssm", version=version("gdssm"), extensions=EXTENSIONS)


@router.get("/health/live", responses=documented())
async def live() -> ServerLive:
    """Answer as long as the process does."""
    return ServerLive(live=True)


@router.get("/health/ready", responses=documented(errors.NotReady, errors.DatabaseUnavailable))
async def ready(parts: StateDep) -> ServerReady:
    """Answer 200 once the default model is loaded and until the service is told to stop, 503 otherwise.

    A file of a SQLite database that was deleted or replaced is 503 too.
    """
    parts.check_ready()
    return ServerReady(ready=True)
