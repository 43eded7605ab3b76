"""POST /v1/predict: a context and queries in, predictions out."""

from fastapi import APIRouter

from service import errors
from service.api.body import JsonBodyRoute
from service.api.errors import documented
from service.api.schemas import ModelReference, PredictAnswer, PredictRequest
from service.api.served import Served
from service.predictor import Context

router = APIRouter(prefix="/v1", tags=["predict"], route_class=JsonBodyRoute)

POSSIBLE = (
    errors.MalformedBody,
    errors.UnknownModel,
    errors.BodyTooLarge,
    errors.UnsupportedContentType,
    errors.InvalidInput,
    errors.NumericOverflow,
    errors.NotReady,
)


@router.post("/predict", responses=documented(*POSSIBLE))
def predict(request: PredictRequest, predictor: Served) -> PredictAnswer:
    """Learn from the observations of the context and answer the queries, in one call.

    Nothing is kept. The answer to a query does not depend on the other queries.
    """
    context = Context(request.context.x, request.context.y, request.context.weight)
    answer = predictor.predict(request.model, context, request.query, request.parameters)
    return PredictAnswer(
        prediction=answer.prediction.tolist(),
        model=ModelReference(name=answer.model.name, version=answer.model.version),
        n_observations=answer.n_observations,
    )
