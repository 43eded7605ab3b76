"""POST /v2/repository/…: lists, loads and unloads models; for administrators."""

from functools import partial
from typing import Annotated

from fastapi import Depends

from service import errors
from service.api.endpoint import EndpointRouter
from service.api.request import AdminDep, ExecutorDep, PredictorDep
from service.api.routes.v2.body import ProtocolBody
from service.api.routes.v2.schemas import Done, IndexedModel, IndexRequest, LoadRequest, UnloadRequest

ERRORS = (
    errors.Forbidden,
    errors.NotReady,
    errors.Overloaded,
)
UPDATE_ERRORS = (*ERRORS, errors.UnknownModel, errors.DatabaseUnavailable)
router = EndpointRouter("/v2/repository", "open inference protocol")

INDEX = ProtocolBody(IndexRequest)
LOAD = ProtocolBody(LoadRequest)
UNLOAD = ProtocolBody(UnloadRequest)


@router.endpoint("POST", "/index", body=INDEX, errors=ERRORS)
async def index_repository(
    _: AdminDep, predictor: PredictorDep, request: Annotated[IndexRequest, Depends(INDEX)]
) -> list[IndexedModel]:
    """List the models of the repository, in service or not, and the refused files with their reasons."""
    entries = predictor.repository.index()
    return [IndexedModel.model_validate(entry) for entry in entries if entry.state == "READY" or not request.ready]


@router.endpoint("POST", "/models/{name}/load", body=LOAD, errors=UPDATE_ERRORS)
async def load_model(
    name: str,
    _: AdminDep,
    predictor: PredictorDep,
    executor: ExecutorDep,
    request: Annotated[LoadRequest, Depends(LOAD)],
) -> Done:
    """Put a model back into service, in every process that shares the database; scans the files first."""
    version = request.parameters.version if request.parameters else None
    await executor.run(partial(predictor.repository.load_model, name, version), writes=True)
    return Done()


@router.endpoint("POST", "/models/{name}/unload", body=UNLOAD, errors=UPDATE_ERRORS)
async def unload_model(
    name: str,
    _: AdminDep,
    predictor: PredictorDep,
    executor: ExecutorDep,
    request: Annotated[UnloadRequest, Depends(UNLOAD)],
) -> Done:
    """Take a model out of service, in every process that shares the database, until it is loaded again."""
    version = request.parameters.version if request.parameters else None
    await executor.run(partial(predictor.repository.unload_model, name, version), writes=True)
    return Done()
