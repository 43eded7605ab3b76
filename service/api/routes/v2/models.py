"""GET /v2/models/{name}: the metadata of a model, and whether it is served."""

from collections.abc import Iterable

from service import errors
from service.api.endpoint import EndpointRouter
from service.api.request import PredictorDep
from service.api.routes.v2.datatypes import datatype_of
from service.api.routes.v2.model_dependencies import NewestModelDep, VersionedModelDep
from service.api.routes.v2.schemas import ModelMetadata, ModelReady, TensorMetadata
from service.inference.artifact import Manifest, TensorSpec
from service.inference.runtime import Runtime

FREE_AXIS = -1
"""The size of an axis that the model does not fix."""
PLATFORM = "onnxruntime"

router = EndpointRouter("/v2/models/{name}", "open inference protocol")

ERRORS = (errors.UnknownModel, errors.InvalidInput, errors.NotReady)


@router.endpoint("GET", "", errors=ERRORS)
async def get_model_metadata(runtime: NewestModelDep, predictor: PredictorDep) -> ModelMetadata:
    """Show the tensors of the highest version of a model."""
    return _metadata(runtime, predictor.repository.served())


@router.endpoint("GET", "/versions/{version}", errors=ERRORS)
async def get_model_version_metadata(runtime: VersionedModelDep, predictor: PredictorDep) -> ModelMetadata:
    """Show the tensors of one version of a model."""
    return _metadata(runtime, predictor.repository.served())


@router.endpoint("GET", "/ready", errors=ERRORS)
async def check_model(runtime: NewestModelDep) -> ModelReady:
    """Return 200 if the model is served, otherwise 404."""
    return ModelReady(name=runtime.manifest.name, ready=True)


@router.endpoint("GET", "/versions/{version}/ready", errors=ERRORS)
async def check_model_version(runtime: VersionedModelDep) -> ModelReady:
    """Return 200 if that version is served, otherwise 404."""
    return ModelReady(name=runtime.manifest.name, ready=True)


def _metadata(runtime: Runtime, served: Iterable[Runtime]) -> ModelMetadata:
    manifest = runtime.manifest
    return ModelMetadata(
        name=manifest.name,
        versions=[other.manifest.version for other in served if other.manifest.name == manifest.name],
        platform=PLATFORM,
        inputs=[*_tensors(manifest.public_inputs), *_parameters(manifest)],
        outputs=_tensors(manifest.outputs),
    )


def _tensors(specs: Iterable[TensorSpec]) -> list[TensorMetadata]:
    return [
        TensorMetadata(
            name=spec.name,
            datatype=datatype_of(spec.dtype),
            shape=[axis if isinstance(axis, int) else FREE_AXIS for axis in spec.shape],
        )
        for spec in specs
    ]


def _parameters(manifest: Manifest) -> list[TensorMetadata]:
    datatype = datatype_of(manifest.dtype)
    return [TensorMetadata(name=spec.name, datatype=datatype, shape=[1]) for spec in manifest.parameters]
