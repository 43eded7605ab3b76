"""POST /v1/predict: a context and queries in, predictions out."""

from fastapi import APIRouter, Request, Response

from service import errors
from service.api.binary import BYTES, BinaryRoute, answer_of, wants_binary
from service.api.body import JSON
from service.api.errors import documented
from service.api.schemas import AnsweringModel, ExplanationAnswer, PredictAnswer, PredictRequest
from service.api.served import Served, Working
from service.api.work import numbers_in
from service.explaining.explanation import Explanation, predict_and_explain
from service.predictor import Context, Prediction, Predictor, columns

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
async def predict(http: Request, request: PredictRequest, predictor: Served, pool: Working) -> Response:
    """Learn from the observations of the context and answer the queries, in one call.

    Nothing is kept. The answer to a query does not depend on the other queries. As safetensors the request has the
    tensors `x`, `y`, `weight` and `query` and, in its metadata, `model`, `version`, `explain` and parameters; with the
    header `Accept: application/vnd.safetensors` the answer has the tensor `prediction`, and its metadata.
    """
    binary = wants_binary(http)

    def work() -> Response:
        answer, explanation = _predict(request, predictor)
        return answer_of(answer, explanation) if binary else _json(answer, explanation)

    return await pool.run(work, _size(request))


def _size(request: PredictRequest) -> int | None:
    """How many numbers the prediction is about; an explanation may be about many times as many."""
    x, y = request.context.x, request.context.y
    return None if request.explain else numbers_in(len(x) + len(request.query), x.shape[1] + columns(y).shape[1])


def _predict(request: PredictRequest, predictor: Predictor) -> tuple[Prediction, Explanation | None]:
    context = Context(request.context.x, request.context.y, request.context.weight)
    asked = (request.model, context, request.query, request.parameters)
    if request.explain:
        return predict_and_explain(predictor, *asked, version=request.version, wanted=request.explain)
    return predictor.predict(*asked, version=request.version), None


def _json(answer: Prediction, explanation: Explanation | None) -> Response:
    content = PredictAnswer(
        prediction=answer.prediction.tolist(),
        model=AnsweringModel.model_validate(answer.model),
        n_observations=answer.n_observations,
        explanation=explanation and ExplanationAnswer.of(explanation),
    )
    return Response(content.model_dump_json(exclude_none=True), media_type=JSON)
