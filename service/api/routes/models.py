"""GET /v1/models, /v1/models/{name} and its /versions/{version}: the served models and the refused files."""

from service import errors
from service.api.endpoint import EndpointRouter
from service.api.request import PredictorDep
from service.inference.artifact import Manifest
from service.schemas.models import ModelList, ModelSummary, RefusedFile

router = EndpointRouter("/v1/models", "models")

ERRORS = (errors.UnknownModel, errors.InvalidInput, errors.NotReady)


@router.endpoint("GET", "")
async def list_models(predictor: PredictorDep) -> ModelList:
    """List the models that are served, and the files that were refused, each with its reason."""
    repository = predictor.repository
    return ModelList(
        default=predictor.default_model,
        models=[ModelSummary.model_validate(runtime.manifest.published()) for runtime in repository.served()],
        refused=[RefusedFile(file=file, reason=reason) for file, reason in repository.refused.items()],
    )


@router.endpoint("GET", "/{name}/versions/{version}", errors=ERRORS)
async def get_model_version(name: str, version: str, predictor: PredictorDep) -> Manifest:
    """Show the manifest of one version of a model."""
    return predictor.repository.get(name, version).manifest.published()


@router.endpoint("GET", "/{name}", errors=ERRORS)
async def get_model(name: str, predictor: PredictorDep) -> Manifest:
    """Show the manifest of the highest version of a model: its tensors, its assumptions, and its origin."""
    return predictor.repository.get(name).manifest.published()
