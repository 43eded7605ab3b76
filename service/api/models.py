"""GET /v1/models and /v1/models/{name}: what is served, and why a file is not."""

from fastapi import APIRouter

from service import errors
from service.api.errors import documented
from service.api.schemas import ModelList, ModelSummary, RefusedFile
from service.api.served import Served
from service.artifact import Manifest

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("", responses=documented())
async def models(predictor: Served) -> ModelList:
    """List the models that are served, and the files that were refused, each with its reason."""
    repository = predictor.repository
    return ModelList(
        default=predictor.default_model,
        models=[ModelSummary.model_validate(runtime.manifest) for runtime in repository.models.values()],
        refused=[RefusedFile(file=file, reason=reason) for file, reason in repository.refused.items()],
    )


@router.get("/{name}", responses=documented(errors.UnknownModel, errors.InvalidInput, errors.NotReady))
async def model(name: str, predictor: Served) -> Manifest:
    """Show the whole manifest of one model: its tensors, its assumptions, how it was made."""
    return predictor.repository.get(name).manifest
