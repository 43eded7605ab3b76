"""GET /v1/models, /v1/models/{name} and its /versions/{version}: what is served, and why a file is not."""

from fastapi import APIRouter

from service import errors
from service.api.errors import documented
from service.api.served import PredictorDep
from service.artifact import Manifest
from service.schemas.models import ModelList, ModelSummary, RefusedFile

router = APIRouter(prefix="/v1/models", tags=["models"])

POSSIBLE = (errors.UnknownModel, errors.InvalidInput, errors.NotReady)


@router.get("", responses=documented())
async def models(predictor: PredictorDep) -> ModelList:
    """List the models that are served, and the files that were refused, each with its reason."""
    repository = predictor.repository
    return ModelList(
        default=predictor.default_model,
        models=[ModelSummary.model_validate(runtime.manifest.published()) for runtime in repository.served()],
        refused=[RefusedFile(file=file, reason=reason) for file, reason in repository.refused.items()],
    )


@router.get("/{name}/versions/{version}", responses=documented(*POSSIBLE))
async def version(name: str, version: str, predictor: PredictorDep) -> Manifest:
    """Show the whole manifest of one version of a model."""
    return predictor.repository.get(name, version).manifest.published()


@router.get("/{name}", responses=documented(*POSSIBLE))
async def model(name: str, predictor: PredictorDep) -> Manifest:
    """Show the whole manifest of the highest version of a model: its tensors, its assumptions, how it was made."""
    return predictor.repository.get(name).manifest.published()
