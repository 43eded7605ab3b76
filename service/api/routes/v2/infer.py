"""POST /v2/models/{name}/infer: tensors as JSON, or as bytes after the JSON."""

from math import prod
from typing import Annotated

from fastapi import Depends, Response

from service import errors
from service.api.body import BINARY_SCHEMA
from service.api.endpoint import EndpointRouter, Responses
from service.api.executor import Executor, numbers_in
from service.api.request import ExecutorDep, PredictorDep
from service.api.routes.v2 import binary
from service.api.routes.v2.body import InferBody, tensors_of
from service.api.routes.v2.model_dependencies import NewestModelDep, VersionedModelDep
from service.api.routes.v2.parameters import INTERVAL, levels_of, numbers_for
from service.api.routes.v2.response import check, response_of
from service.api.routes.v2.schemas import InferAnswer, InferRequest
from service.inference.artifact import CACHED_READY, WANT_SCALE, readout_shapes
from service.inference.checks import Limits
from service.inference.distribution import Wanted, check_wanted, interval_of
from service.inference.runtime import Runtime
from service.inference.tensor_inference import infer

WITHOUT_BOUNDS = {WANT_SCALE, CACHED_READY, *readout_shapes("cached", "", "regression")}
"""Inputs that suppress or provide the scale; ignored if an interval is requested."""
HEADERS = {
    binary.JSON_LENGTH_HEADER: {
        "description": "Bytes of JSON at the beginning of the response, if outputs follow it as bytes.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    }
}
ANSWER: Responses = {200: {"headers": HEADERS, "content": {binary.CONTENT_TYPE: {"schema": BINARY_SCHEMA}}}}
ERRORS = (
    errors.UnknownModel,
    errors.NumericOverflow,
    errors.NotReady,
    errors.Overloaded,
)

router = EndpointRouter("/v2/models/{name}", "open inference protocol")

BODY = InferBody()
InferDep = Annotated[InferRequest, Depends(BODY)]


@router.endpoint("POST", "/infer", body=BODY, errors=ERRORS, responses=ANSWER, response_model=InferAnswer)
async def infer_newest(
    request: InferDep, runtime: NewestModelDep, predictor: PredictorDep, executor: ExecutorDep
) -> Response:
    """Run the highest version of a model.

    Tensors have the names and shapes of the graph, with a batch axis first. By default `weight` is ones, the state is
    that without observations, and x, y and `x_query` are empty. With the parameter `interval`, above 0 and below 1,
    models that give a scale have the further outputs `lower` and `upper`, null if there are no degrees of freedom. The
    parameter `levels` is a list of the columns of x, from 0, that are levels of categories (0 or 1), for models with
    level among their `column_kinds`; the last ones may be new to the state.
    Binary tensors follow the JSON, whose length is then required in the header `Inference-Header-Content-Length`.
    """
    return await _infer(request, runtime, predictor.limits, executor)


@router.endpoint(
    "POST", "/versions/{version}/infer", body=BODY, errors=ERRORS, responses=ANSWER, response_model=InferAnswer
)
async def infer_version(
    request: InferDep, runtime: VersionedModelDep, predictor: PredictorDep, executor: ExecutorDep
) -> Response:
    """Run one version of a model; see the address without a version."""
    return await _infer(request, runtime, predictor.limits, executor)


async def _infer(request: InferRequest, runtime: Runtime, limits: Limits, executor: Executor) -> Response:
    def work() -> Response:
        manifest = runtime.manifest
        check(request, manifest)
        numbers = numbers_for(request, manifest)
        level = numbers.pop(INTERVAL, None)
        check_wanted(manifest, Wanted(level), "parameters.")
        tensors = tensors_of(request)
        if level is not None:  # the bounds need the scale of this state
            tensors = {name: tensor for name, tensor in tensors.items() if name not in WITHOUT_BOUNDS}
        outputs = infer(runtime, tensors, limits, numbers, levels_of(request))
        return response_of(request, manifest, outputs if level is None else outputs | interval_of(outputs, level))

    return await executor.run(work, _size(request))


def _size(request: InferRequest) -> int:
    """Estimate the numbers of the work from the shapes, which are not checked yet."""
    rows = sum(prod(sent.shape[:-1]) for sent in request.inputs)
    return numbers_in(rows, max((sent.shape[-1] for sent in request.inputs if sent.shape), default=1))
