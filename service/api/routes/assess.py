"""POST /v1/assess: how good predictions of a table are, compared with other methods."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Depends, Request, Response
from pydantic_core import to_json

from service.api.body import JSON
from service.api.endpoint import EndpointRouter, PreparedResponse
from service.api.request import state_of
from service.api.routes.tables import max_rows_of
from service.api.table_bodies import TableBody
from service.api.table_files import open_rows
from service.api.table_representations import effect_fields, without_none
from service.errors import NotReady, NumericOverflow, Overloaded, UnknownModel, UnsupportedByModel
from service.inference.distribution import Wanted, check_wanted
from service.inference.predictor import Predictor
from service.schemas.assessments import ROWS, AssessAnswer, AssessRequest
from service.tables.assessing import Assessment, assess
from service.tables.effects import column_effects
from service.tables.predicting import infer_schema, model_for

router = EndpointRouter("/v1", "predict")

BODY: TableBody[AssessRequest] = TableBody(
    AssessRequest, examples={"records": {"target": "price", "rows": ROWS, "explain": ["effects"]}}
)
ERRORS = (UnknownModel, NumericOverflow, UnsupportedByModel, NotReady, Overloaded)


@router.endpoint("POST", "/assess", body=BODY, errors=ERRORS, response_model=AssessAnswer)
async def assess_table(request: Request, body: Annotated[AssessRequest, Depends(BODY)]) -> Response:
    """Compare the predictions of a model with the mean, ridge regression and a random forest, by cross-validation.

    Rows that have a target are predicted from the others. Nothing is stored.
    """
    state = state_of(request.scope)
    return await state.executor.run(lambda: _assess(body, state.predictor))


def _assess(body: AssessRequest, predictor: Predictor) -> Response:
    with open_rows(body, body.rows, "rows", max_rows_of(predictor.limits)) as table:
        schema = infer_schema(table, body.requested(body.target))
        runtime = model_for(predictor, schema, body.model, body.version)
        check_wanted(runtime.manifest, Wanted(body.interval))
        found = assess(table, schema, predictor, runtime)
    effects = column_effects(schema, found.sample, runtime, body.interval) if body.explain else None
    model = runtime.manifest
    fields: dict[str, object] = {
        "sentence": found.sentence,
        "scores": [without_none(asdict(score)) for score in found.scores],
        "rows": found.rows,
        "folds": found.folds,
        "not_measured": found.not_measured or None,
        "held_out": None if schema.classes else _held_out(found),
        "effects": None if effects is None else [*map(effect_fields, effects)],
        "model": {"name": model.name, "version": model.version, "sha256": model.file_sha256},
    }
    return PreparedResponse(to_json(without_none(fields), inf_nan_mode="null"), JSON)


def _held_out(found: Assessment) -> dict[str, object]:
    prediction, lower, upper = found.held_out
    fields: dict[str, object] = {
        "rows": found.sample.places.tolist(),
        "target": found.sample.y.tolist(),
        "prediction": prediction.tolist(),
    }
    return fields if lower is None or upper is None else fields | {"lower": lower.tolist(), "upper": upper.tolist()}
