"""POST /v1/predict: a context and queries in, predictions out."""

from fastapi import APIRouter, Request, Response

from service import errors
from service.api.binary import BYTES, BinaryRoute, answer_of, wants_binary
from service.api.errors import documented
from service.api.executor import numbers_in
from service.api.ready import json_of
from service.api.served import ExecutorDep, PredictorDep
from service.explaining.explanation import predict_and_explain
from service.explaining.terms import Explanation
from service.predictor import Context, Prediction, Predictor, width_of
from service.runtime import Runtime
from service.schemas.predictions import PredictAnswer, PredictRequest

router = APIRouter(prefix="/v1", tags=["predict"], route_class=BinaryRoute)

POSSIBLE = (
    errors.MalformedBody,
    errors.UnknownModel,
    errors.TooSlow,
    errors.BodyTooLarge,
    errors.UnsupportedContentType,
    errors.InvalidInput,
    errors.NumericOverflow,
    errors.UnsupportedByModel,
    errors.NotReady,
    errors.Overloaded,
)


@router.post(
    "/predict",
    responses=documented(*POSSIBLE) | {200: BYTES},
    response_model=PredictAnswer,
    openapi_extra={"requestBody": BYTES},
)
async def predict(http: Request, request: PredictRequest, predictor: PredictorDep, pool: ExecutorDep) -> Response:
    """Learn from the observations of the context and answer the queries, in one call.

    Nothing is kept. The answer to a query does not depend on the other queries. As safetensors the request has the
    tensors `x`, `y`, `weight` and `query` and, in its metadata, `model`, `version`, `explain`, `interval`, `quantiles`
    and parameters; with the header `Accept: application/vnd.safetensors` the answer has the tensor `prediction`, those
    that were asked for with it, and its metadata.
    """
    binary, runtime = wants_binary(http), predictor.runtime(request.model, request.version)

    def work() -> Response:
        answer, explanation = _predict(request, runtime, predictor)
        return answer_of(answer, explanation) if binary else json_of(answer, explanation)

    if request.explain:  # it may be about many times as many numbers
        return await pool.run(work)
    x, columns = request.context.x, request.context.x.shape[1] + width_of(request.context.y)
    # A number costs more, the more columns there are: a model with so many of them is a kind of its own.
    return await pool.run(work, numbers_in(len(x) + len(request.query), columns), (runtime.manifest.sha256, columns))


def _predict(request: PredictRequest, runtime: Runtime, predictor: Predictor) -> tuple[Prediction, Explanation | None]:
    context = Context(request.context.x, request.context.y, request.context.weight)
    parameters = request.parameters or {}
    wanted = request.wanted()
    if not request.explain:
        return predictor.answer(runtime, context, request.query, parameters, wanted), None
    asked = (request.model, context, request.query, parameters)
    return predict_and_explain(predictor, *asked, wanted=wanted, version=request.version, explain=request.explain)
