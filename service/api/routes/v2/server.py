"""GET /v2 and /v2/health/…: what the server is, and whether it can infer."""

from importlib.metadata import version

from service import errors
from service.api.dependencies import StateDep
from service.api.endpoint import EndpointRouter
from service.api.routes.v2.schemas import ServerLive, ServerMetadata, ServerReady

EXTENSIONS = ["binary_tensor_data", "parameters", "model_repository", "model_repository(unload_dependents)"]

router = EndpointRouter("/v2", "open inference protocol")


@router.endpoint("GET", "")
async def metadata() -> ServerMetadata:
    """Say what the server is, and what it can beyond the protocol."""
    return ServerMetadata(name="gdssm", version=version("gdssm"), extensions=EXTENSIONS)


@router.endpoint("GET", "/health/live")
async def live() -> ServerLive:
    """Answer as long as the process does."""
    return ServerLive(live=True)


@router.endpoint("GET", "/health/ready", errors=(errors.NotReady, errors.DatabaseUnavailable))
async def ready(state: StateDep) -> ServerReady:
    """Answer 200 once the default model is loaded and until the service is told to stop, 503 otherwise.

    A file of a SQLite database that was deleted or replaced is 503 too.
    """
    state.check_ready()
    return ServerReady(ready=True)
