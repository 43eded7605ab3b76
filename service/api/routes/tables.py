"""POST /v1/inspect, and the part of POST /v1/predict that takes tables."""

from typing import Annotated

from fastapi import Depends, Request, Response

from service.api.body import JSON
from service.api.endpoint import EndpointRouter, PreparedResponse
from service.api.request import state_of
from service.api.table_answers import accepted_file, file_of_rows
from service.api.table_bodies import TableBody
from service.api.table_files import open_rows
from service.api.table_representations import json_of_inspection, json_of_prediction
from service.datasets.table_prediction import TablePrediction, context_rows
from service.errors import InvalidInput, Problem
from service.inference.checks import Limits
from service.inference.predictor import Predictor
from service.schemas.tables import HOUSES, InspectAnswer, InspectRequest, TableFields, TablePredictRequest
from service.tables.cells import Table
from service.tables.describing import inspect_table
from service.tables.effects import column_effects
from service.tables.predicting import infer_schema, model_for
from service.tables.schema import TableSchema, schema_from

router = EndpointRouter("/v1", "predict")

BODY: TableBody[InspectRequest] = TableBody(
    InspectRequest, examples={"records": {"rows": HOUSES}, "with a target": {"target": "price", "rows": HOUSES}}
)


@router.endpoint("POST", "/inspect", body=BODY, response_model=InspectAnswer)
async def inspect(request: Request, body: Annotated[InspectRequest, Depends(BODY)]) -> Response:
    """Look at a table: what will be done to each column, and how many of its cells are missing. Nothing is stored."""
    state = state_of(request.scope)

    def work() -> Response:
        with open_rows(body, body.rows, "rows", max_rows_of(state.predictor.limits)) as table:
            found = inspect_table(table, body.requested(body.target))
            return PreparedResponse(json_of_inspection(found, table.notes), JSON)

    return await state.executor.run(work)


async def predict_table(request: Request, body: TablePredictRequest) -> Response:
    """Predict rows of a table from others."""
    state, file = state_of(request.scope), accepted_file(request)
    return await state.executor.run(lambda: _predict(body, state.predictor, file))


def max_rows_of(limits: Limits) -> int:
    """Return the rows of a table that are read."""
    return limits.max_observations + limits.max_predictions


def _predict(body: TablePredictRequest, predictor: Predictor, file: str | None) -> Response:
    with open_rows(body, body.rows, "rows", max_rows_of(predictor.limits)) as context:
        query = None if body.query is None else body.table_of(body.query, "query")
        schema = _schema(body, context, query)
        runtime = model_for(predictor, schema, body.model, body.version)
        keys, limits = tuple(body.keys), predictor.limits
        job = TablePrediction(predictor, runtime, schema, context, query, body.weight, keys, limits=limits)
        wanted = body.wanted()
        chunks = list(job.run(body.parameters or {}, wanted))
        if file is None:
            effects = column_effects(schema, context_rows(job), runtime, wanted.interval) if body.explain else None
            answer = json_of_prediction(job, chunks, nearest=body.nearest, append=body.append, effects=effects)
            return PreparedResponse(answer, JSON)
        return PreparedResponse(file_of_rows(schema, keys, chunks, file, wanted.quantiles), file)


def _schema(body: TablePredictRequest, context: Table, query: Table | None) -> TableSchema:
    """Read the schema of the request, or infer one; keys may be columns of the queries only.

    Raises:
        InvalidInput: It is none, or the table does not fit.
    """
    if body.schema_ is None:
        keys = body.keys if query is None else [name for name in body.keys if name in {*context.columns}]
        return infer_schema(context, body.requested(body.target)._replace(keys=tuple(keys)))
    return given_schema(body, body.schema_, body.target)


def given_schema(body: TableFields, value: object, target: str | None) -> TableSchema:
    """Read the schema of a request, which says all that others of its fields could say.

    Raises:
        InvalidInput: It is none, or is for another target.
    """
    schema = schema_from(value)
    said = [name for name in ("features", "ignore", "kinds", "task", "decimal") if getattr(body, name)]
    if said:
        raise InvalidInput(
            *(Problem(name, "is said by the schema. Leave it out, or leave out the schema.") for name in said)
        )
    if target is not None and schema.target.name != target:
        text = f"is {target[:60]!r}; the schema predicts {schema.target.name[:60]!r}. Name that one."
        raise InvalidInput(Problem("target", text))
    return schema
