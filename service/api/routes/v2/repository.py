"""POST /v2/repository/…: what could be served, and taking it in and out of service; for administrators."""

from functools import partial

from fastapi import APIRouter

from service import errors
from service.api.errors import documented
from service.api.routes.v2.body import ProtocolRoute
from service.api.routes.v2.schemas import Done, IndexedModel, IndexRequest, LoadRequest, UnloadRequest
from service.api.served import AdminDep, ExecutorDep, PredictorDep

POSSIBLE = (
    errors.MalformedBody,
    errors.Forbidden,
    errors.TooSlow,
    errors.BodyTooLarge,
    errors.UnsupportedContentType,
    errors.InvalidInput,
    errors.NotReady,
    errors.Overloaded,
)
CHANGING = (*POSSIBLE, errors.UnknownModel, errors.DatabaseUnavailable)
OPTIONAL = {"requestBody": {"required": False}}
"""No body at all is the empty object, as `ProtocolRoute` has it."""

router = APIRouter(prefix="/v2/repository", tags=["open inference protocol"], route_class=ProtocolRoute)


@router.post("/index", responses=documented(*POSSIBLE), openapi_extra=OPTIONAL)
async def index(_: AdminDep, predictor: PredictorDep, request: IndexRequest) -> list[IndexedModel]:
    """List the models of the repository, in service or not, and the files that were refused, with the reason."""
    entries = predictor.repository.index()
    return [IndexedModel.model_validate(entry) for entry in entries if entry.state == "READY" or not request.ready]


@router.post("/models/{name}/load", responses=documented(*CHANGING), openapi_extra=OPTIONAL)
async def load(name: str, _: AdminDep, predictor: PredictorDep, pool: ExecutorDep, request: LoadRequest) -> Done:
    """Put a model back into service, in every process that shares the database; looks at the files again first."""
    version = request.parameters.version if request.parameters else None
    await pool.run(partial(predictor.repository.load_model, name, version), writes=True)
    return Done()


@router.post("/models/{name}/unload", responses=documented(*CHANGING), openapi_extra=OPTIONAL)
async def unload(name: str, _: AdminDep, predictor: PredictorDep, pool: ExecutorDep, request: UnloadRequest) -> Done:
    """Take a model out of service, in every process that shares the database, until it is loaded again."""
    version = request.parameters.version if request.parameters else None
    await pool.run(partial(predictor.repository.unload_model, name, version), writes=True)
    return Done()
