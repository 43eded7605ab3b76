"""GET /v2 and /v2/health/…: the metadata of the server, and whether it is live and ready."""

from importlib.metadata import version

from service import errors
from service.api.endpoint import EndpointRouter
from service.api.request import StateDep
from service.api.routes.v2.schemas import ServerLive, ServerMetadata, ServerReady

EXTENSIONS = ["binary_tensor_data", "parameters", "model_repository", "model_repository(unload_dependents)"]

router = EndpointRouter("/v2", "open inference protocol")


@router.endpoint("GET", "")
async def get_server_metadata() -> ServerMetadata:
    """Show the name, the version and the extensions of the server."""
    return ServerMetadata(name="gdssm", version=version("gdssm"), extensions=EXTENSIONS)


@router.endpoint("GET", "/health/live")
async def check_server_liveness() -> ServerLive:
    """Return 200 while the process responds."""
    return ServerLive(live=True)


@router.endpoint("GET", "/health/ready", errors=(errors.NotReady, errors.DatabaseUnavailable))
async def check_server_readiness(state: StateDep) -> ServerReady:
    """Return 200 once the default model is loaded and until the service begins to stop, otherwise 503.

    Also 503 if the file of a SQLite database was deleted or replaced.
    """
    state.check_ready()
    return ServerReady(ready=True)
