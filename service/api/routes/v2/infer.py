"""POST /v2/models/{name}/infer: tensors in, tensors out, as JSON or as bytes behind it."""

from math import prod
from typing import Annotated

from fastapi import Depends, Response

from service import errors
from service.api.body import BINARY_SCHEMA
from service.api.dependencies import ExecutorDep, PredictorDep
from service.api.endpoint import EndpointRouter, Responses
from service.api.executor import Executor, numbers_in
from service.api.routes.v2 import binary
from service.api.routes.v2.answer import answer, check
from service.api.routes.v2.body import InferBody, tensors_of
from service.api.routes.v2.named import Newest, Version
from service.api.routes.v2.parameters import INTERVAL, numbers_for
from service.api.routes.v2.schemas import InferAnswer, InferRequest
from service.inference.artifact import CACHED_READY, WANT_SCALE, readout_shapes
from service.inference.distribution import Wanted, check_wanted, interval_of
from service.inference.limits import Limits
from service.inference.runtime import Runtime
from service.inference.tensor_inference import infer

WITHOUT_BOUNDS = {WANT_SCALE, CACHED_READY, *readout_shapes("cached", "", "regression")}
"""Inputs by which a scale is left out or brought along; ignored where an interval is asked for."""
HEADERS = {
    binary.JSON_LENGTH_HEADER: {
        "description": "Bytes of JSON that the answer begins with; only where outputs come as bytes behind it.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    }
}
ANSWER: Responses = {
    200: {"model": InferAnswer, "headers": HEADERS, "content": {binary.CONTENT_TYPE: {"schema": BINARY_SCHEMA}}}
}
ERRORS = (
    errors.UnknownModel,
    errors.NumericOverflow,
    errors.NotReady,
    errors.Overloaded,
)

router = EndpointRouter("/v2/models/{name}", "open inference protocol")

BODY = InferBody()
InferDep = Annotated[InferRequest, Depends(BODY)]


@router.endpoint("POST", "/infer", body=BODY, errors=ERRORS, responses=ANSWER, response_class=Response)
async def infer_newest(request: InferDep, runtime: Newest, predictor: PredictorDep, executor: ExecutorDep) -> Response:
    """Run a model, its highest version.

    Tensors are named and shaped as in the graph, with a batch axis first. Left out, `weight` is ones, the state is
    nothing seen yet, and x, y and `x_query` are empty. With the parameter `interval`, above 0 and below 1, models that
    give a scale have the outputs `lower` and `upper` too, null where there are no degrees of freedom. As bytes the
    tensors follow the JSON, whose length the header `Inference-Header-Content-Length` then has to say.
    """
    return await _infer(request, runtime, predictor.limits, executor)


@router.endpoint(
    "POST", "/versions/{version}/infer", body=BODY, errors=ERRORS, responses=ANSWER, response_class=Response
)
async def infer_version(
    request: InferDep, runtime: Version, predictor: PredictorDep, executor: ExecutorDep
) -> Response:
    """Run one version of a model; otherwise as without a version."""
    return await _infer(request, runtime, predictor.limits, executor)


async def _infer(request: InferRequest, runtime: Runtime, limits: Limits, executor: Executor) -> Response:
    def work() -> Response:
        manifest = runtime.manifest
        check(request, manifest)
        numbers = numbers_for(request, manifest)
        level = numbers.pop(INTERVAL, None)
        check_wanted(manifest, Wanted(level), "parameters.")
        tensors = tensors_of(request)
        if level is not None:  # bounds need the scale of this state, whatever the request says of it
            tensors = {name: tensor for name, tensor in tensors.items() if name not in WITHOUT_BOUNDS}
        outputs = infer(runtime, tensors, limits, numbers)
        return answer(request, manifest, outputs if level is None else outputs | interval_of(outputs, level))

    return await executor.run(work, _size(request))


def _size(request: InferRequest) -> int:
    """How many numbers the work is about, as far as the shapes can be believed."""
    rows = sum(prod(sent.shape[:-1]) for sent in request.inputs)
    return numbers_in(rows, max((sent.shape[-1] for sent in request.inputs if sent.shape), default=1))
