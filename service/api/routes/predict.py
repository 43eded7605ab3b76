"""POST /v1/predict: predictions from observations in the request."""

from typing import Annotated

from fastapi import Depends, Request, Response

from service import errors
from service.api.body import BINARY_SCHEMA
from service.api.endpoint import EndpointRouter
from service.api.executor import numbers_in
from service.api.representations import SAFETENSORS, accepts_safetensors, response_of
from service.api.request import state_of
from service.api.routes.tables import predict_table
from service.api.safetensors_bodies import read_predict_request
from service.api.table_answers import KINDS
from service.api.table_bodies import TableBody
from service.explaining.explanation import predict_and_explain
from service.inference.distribution import NOTHING
from service.inference.predictor import Observations, width_of
from service.levels import check_levels
from service.schemas.predictions import PredictAnswer, PredictRequest
from service.schemas.tables import HOUSES, TablePredictAnswer, TablePredictRequest

router = EndpointRouter("/v1", "predict")

EXAMPLES = {
    "arrays": {"context": {"x": [[1], [2], [3]], "y": [2.1, 3.9, 6.2]}, "query": [[4]], "interval": 0.9},
    "records": {"target": "price", "rows": HOUSES, "interval": 0.9},
    "columns": {
        "target": "price",
        "rows": {"size": [51, 134, 87], "town": ["Bern", "Basel", "Bern"], "price": [181.2, 394.1, 271.5]},
        "query": {"size": [70], "town": ["Basel"]},
    },
}
"""Of bodies in JSON."""
BODY: TableBody[PredictRequest | TablePredictRequest] = TableBody(
    TablePredictRequest, PredictRequest, {SAFETENSORS: read_predict_request}, EXAMPLES
)
ERRORS = (
    errors.UnknownModel,
    errors.NumericOverflow,
    errors.UnsupportedByModel,
    errors.NotReady,
    errors.Overloaded,
)


@router.endpoint(
    "POST",
    "/predict",
    body=BODY,
    errors=ERRORS,
    response_model=TablePredictAnswer | PredictAnswer,
    responses={200: {"content": {kind: {"schema": BINARY_SCHEMA} for kind in (SAFETENSORS, *KINDS)}}},
    fast=True,
)
async def predict(request: Request, body: Annotated[PredictRequest | TablePredictRequest, Depends(BODY)]) -> Response:
    """Predict at the queries from the observations of the request, in one call.

    Nothing is stored. The prediction of a query does not depend on the other queries. JSON with the field `target` is a
    table: rows with named columns of numbers, texts, yes or no, times and gaps. A file is a table too, with the fields
    as query parameters; the header Accept may name CSV, Parquet or Arrow for the answer to a table. As safetensors the
    request has the tensors `x`, `y`, `weight` and `query`, and in its metadata `model`, `version`, `levels`, `explain`,
    `interval`, `quantiles` and parameters. With the header `Accept: application/vnd.safetensors` the response to arrays
    has the tensor `prediction`, further requested tensors, and metadata.
    """
    if not isinstance(body, PredictRequest):  # of pydantic's classes only an instance's own is found without a search
        return await predict_table(request, body)
    state, binary = state_of(request.scope), accepts_safetensors(request)
    predictor = state.predictor
    runtime = predictor.runtime(body.model, body.version)

    sent, query, explain = body.context, body.query, body.explain  # pydantic finds an attribute in 500 instructions
    x, y, levels = sent.x, sent.y, tuple(sent.levels or ())
    if levels:
        check_levels(runtime.manifest, levels, x.shape[1], "context.levels")
    context = Observations(x, y, sent.weight, levels)
    parameters = body.parameters or {}
    wanted = NOTHING if body.interval is None and body.quantiles is None else body.wanted()

    def work() -> Response:
        if not explain:
            return response_of(predictor.answer(runtime, context, query, parameters, wanted), None, binary=binary)
        asked = (body.model, context, query, parameters)
        found = predict_and_explain(predictor, *asked, wanted=wanted, version=body.version, explain=explain)
        return response_of(*found, binary=binary)

    if explain:  # explanations may have many more numbers than the request
        return await state.executor.run(work)
    columns = x.shape[1] + width_of(y)
    # The cost per number depends on the model and on the number of columns.
    size, kind = numbers_in(len(x) + len(query), columns), (runtime.manifest.sha256, columns)
    return await state.executor.run(work, size, kind)
