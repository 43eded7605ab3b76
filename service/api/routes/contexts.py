"""/v1/contexts: stored contexts, which learn from observations as they arrive."""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from service import errors
from service.api.body import BINARY_SCHEMA, JSON, Body
from service.api.endpoint import EndpointRouter, PreparedResponse, Responses
from service.api.executor import numbers_in
from service.api.method_not_allowed import register_method_not_allowed
from service.api.parameters import ContextId, ContextPageRequest, refuse_repeated
from service.api.preconditions import (
    CreatePreconditions,
    IfNoneMatchDep,
    UpdatePreconditions,
    document_max_age,
    etag,
    matches,
    max_age_of,
    update_preconditions,
    update_preconditions_of,
)
from service.api.representations import SAFETENSORS, accepts_safetensors, response_of
from service.api.request import ContextsDep, contexts_of
from service.api.routes.context_tables import create_of_rows, observe_rows, observed, predict_rows
from service.api.safetensors_bodies import read_context_query, read_observations
from service.api.table_answers import KINDS, accepted_file
from service.api.table_bodies import TableBody, asks_rows, creates_table, has_rows
from service.column_names import NO_NAMES
from service.contexts.records import Amendment, ContextRecord
from service.contexts.requests import ContextSpec
from service.explaining.terms import Explanation
from service.inference.predictor import Observations, Prediction
from service.schemas.contexts import (
    ContextAnswer,
    ContextChange,
    ContextPage,
    ContextPrediction,
    ContextQuery,
    ContextView,
    CreateContext,
    MergeRequest,
    NewContext,
    NewObservations,
    names_of,
)
from service.schemas.predictions import ObservationsBody
from service.schemas.tables import (
    ObservedContext,
    TableContextPrediction,
    TableContextQuery,
    TableCreateContext,
    TableObservations,
)
from service.states.context_state import FeatureScale

router = EndpointRouter("/v1/contexts", "contexts")

CREATE: TableBody[CreateContext | TableCreateContext] = TableBody(
    TableCreateContext, CreateContext, is_table=creates_table
)
OBSERVATIONS: TableBody[NewObservations | TableObservations] = TableBody(
    TableObservations, NewObservations, {SAFETENSORS: read_observations}, is_table=has_rows
)
QUERY: TableBody[ContextQuery | TableContextQuery] = TableBody(
    TableContextQuery, ContextQuery, {SAFETENSORS: read_context_query}, is_table=asks_rows
)
MERGE = Body(MergeRequest)
AMENDMENT = Body(ContextChange)

COMMON_ERRORS = (
    errors.NotReady,
    errors.Overloaded,
    errors.DatabaseUnavailable,
    errors.InvalidInput,
)
"""Errors of every route of contexts."""
CONTEXT_ERRORS = (*COMMON_ERRORS, errors.UnknownContext)
COMPUTE_ERRORS = (errors.NumericOverflow, errors.UnsupportedByModel, errors.PrecisionLoss)
MODEL_ERRORS = (*CONTEXT_ERRORS, errors.UnknownModel, errors.Conflict)
"""Errors of routes that need the model of a context, which may no longer be served, or have been replaced."""
UPDATE_ERRORS = (*MODEL_ERRORS, errors.VersionMismatch)
CREATE_ERRORS = (
    *CONTEXT_ERRORS,
    errors.Conflict,
    errors.QuotaExceeded,
    errors.UnknownModel,
    errors.UnsupportedByModel,
)

ETAG = {"description": "The version of the context.", "schema": {"type": "string", "pattern": '^"[0-9]+"$'}}
LOCATION = {"description": "The address of the context.", "schema": {"type": "string"}}
WITH_ETAG: Responses = {200: {"headers": {"ETag": ETAG}}}
CREATED: Responses = {201: {"headers": {"ETag": ETAG, "Location": LOCATION}}}
NOT_MODIFIED: Responses = {304: {"description": "As If-None-Match says.", "headers": {"ETag": ETAG}}}


@router.endpoint(
    "POST",
    "",
    body=CREATE,
    errors=(*CREATE_ERRORS, errors.NumericOverflow, errors.PrecisionLoss),
    responses=CREATED,
    status_code=201,
)
async def create_context(
    request: Annotated[CreateContext | TableCreateContext, Depends(CREATE)],
    caller: ContextsDep,
    change: CreatePreconditions,
    response: Response,
) -> ObservedContext | ContextAnswer:
    """Create a context, empty or with its first observations.

    A context stores a state of constant size, not the rows: its cost does not grow with the number of observations.
    With `rows` or `schema`, or a file as the body, it is one of rows of tables, and stores the schema of their columns.
    """
    if isinstance(request, TableCreateContext):
        record, findings = await caller.change(lambda owner: create_of_rows(caller.contexts, owner, request, change))
        return observed(created(record, response), findings)
    first = None if request.observations is None else _context(request.observations)
    spec = replace(spec_of(request), name=request.name, shards=request.shards)
    record = await caller.change(caller.contexts.create, spec, first, change)
    return created(record, response)


@router.endpoint("GET", "", errors=COMMON_ERRORS, dependencies=[Depends(refuse_repeated)])
async def list_contexts(caller: ContextsDep, page: Annotated[ContextPageRequest, Query()]) -> ContextPage:
    """List the caller's contexts, oldest first; with labels, those that have them all."""
    return ContextPage.of(await caller.run(caller.contexts.list, page.limit, page.after, page.label))


@router.endpoint(
    "GET", "/{context_id}", errors=CONTEXT_ERRORS, responses=WITH_ETAG | NOT_MODIFIED, response_model=ContextView
)
async def get_context(
    context_id: ContextId, caller: ContextsDep, if_none_match: IfNoneMatchDep, response: Response
) -> ContextView | Response:
    """Show one context, with the linear model that is equivalent to it, if there is one."""
    if if_none_match:
        record = await caller.run(caller.contexts.get, context_id)
        if matches(record, if_none_match):
            return Response(status_code=304, headers={"ETag": etag(record)})
    details = await caller.run(caller.contexts.view, context_id)
    response.headers["ETag"] = etag(details.record)
    return ContextView.showing(details)


@router.endpoint("PATCH", "/{context_id}", body=AMENDMENT, errors=UPDATE_ERRORS, responses=WITH_ETAG)
async def amend_context(
    context_id: ContextId,
    request: Annotated[ContextChange, Depends(AMENDMENT)],
    caller: ContextsDep,
    change: UpdatePreconditions,
    response: Response,
) -> ContextAnswer:
    """Change the name, the labels or the ttl of a context."""
    amendment = Amendment(request.name, request.labels, request.ttl)
    return with_etag(await caller.change(caller.contexts.amend, context_id, amendment, change), response)


@router.endpoint("DELETE", "/{context_id}", errors=UPDATE_ERRORS, status_code=204)
async def delete_context(context_id: ContextId, caller: ContextsDep, change: UpdatePreconditions) -> None:
    """Delete a context."""
    await caller.change(caller.contexts.delete, context_id, change)


@router.endpoint(
    "POST",
    "/{context_id}/observations",
    body=OBSERVATIONS,
    errors=(*UPDATE_ERRORS, *COMPUTE_ERRORS),
    responses=WITH_ETAG,
    response_model=ObservedContext | ContextAnswer,
    dependencies=[Depends(update_preconditions)],
    fast=True,
)
async def observe(
    request: Request, context_id: ContextId, body: Annotated[NewObservations | TableObservations, Depends(OBSERVATIONS)]
) -> Response:
    """Learn from further observations: one row or many.

    Acknowledged observations are stored permanently; a request that is repeated with the same Idempotency-Key is
    applied once. Requests that wait for one context are learnt together, in one transaction; each has its version, and
    its error if there is one. Weight −1 removes an observation: `{"x": [[3.0]], "y": [6.0], "weight": [-1]}` undoes
    `{"x": [[3.0]], "y": [6.0]}`. As safetensors the body has the tensors `x`, `y` and `weight`, and in its metadata may
    have `columns`, the JSON of the same field, and `allow_precision_loss`. A context of rows of tables takes `rows`, or
    a file as the body.
    """
    caller, change = contexts_of(request), await update_preconditions_of(request)
    if isinstance(body, TableObservations):
        record, findings = await observe_rows(caller, context_id, body, change)
        return _changed(record, observed(ContextAnswer.of(record), findings))
    new = _context(body)._replace(columns=names_of(body.columns))
    size = new.x.size + new.y.size
    record = await caller.observe(context_id, new, change, size, allow_precision_loss=body.allow_precision_loss)
    return _changed(record, ContextAnswer.of(record))


@router.endpoint(
    "POST",
    "/{context_id}/predictions",
    body=QUERY,
    errors=(*MODEL_ERRORS, *COMPUTE_ERRORS),
    responses={200: {**WITH_ETAG[200], "content": {kind: {"schema": BINARY_SCHEMA} for kind in (SAFETENSORS, *KINDS)}}},
    response_model=TableContextPrediction | ContextPrediction,
    dependencies=[Depends(document_max_age)],
    fast=True,
)
async def predict_from_context(
    request: Request, context_id: ContextId, body: Annotated[ContextQuery | TableContextQuery, Depends(QUERY)]
) -> Response:
    """Predict from the observations of a context; the context does not change.

    The response equals that of `POST /v1/predict` with the same observations. As safetensors it also has the metadata
    `context_version`. The queries of a context of rows of tables are such rows, or a file as the body. With
    `Cache-Control: max-age=5` the answer may be that of the context up to 5 seconds ago.
    """
    caller, binary, max_age = contexts_of(request), accepts_safetensors(request), max_age_of(request)
    if isinstance(body, TableContextQuery):
        rows, file = body, accepted_file(request)
        return await caller.run(
            lambda owner: predict_rows(caller.contexts, owner, context_id, rows, file, max_age=max_age)
        )
    query = (body.query, body.parameters, body.wanted())
    columns = names_of(body.columns)

    def respond(predicted: Prediction, explanation: Explanation | None, record: ContextRecord) -> Response:
        response = response_of(predicted, explanation, binary=binary, context_version=record.version)
        response.headers["ETag"] = etag(record)
        return response

    def work(owner: str) -> Response:
        explain = body.explain
        predicted, record, explanation = caller.contexts.predict(
            owner, context_id, *query, explain=explain, columns=columns, max_age=max_age
        )
        return respond(predicted, explanation if explain else None, record)

    loaded = None if body.explain else caller.contexts.repository.find_cached(caller.owner, context_id, max_age)
    if loaded is None:
        return await caller.run(work)
    # The state is in memory, so that the rest is computation, which may run inline.
    width = (loaded.record.inputs or 0) + (loaded.record.outputs or 0)
    return await caller.executor.run(
        lambda: respond(caller.contexts.answer(loaded, *query, columns=columns), None, loaded.record),
        numbers_in(len(body.query), width),
        ("context", loaded.runtime.manifest.sha256, width),
    )


@router.endpoint(
    "POST",
    "/{context_id}/merge",
    body=MERGE,
    errors=(*UPDATE_ERRORS, *COMPUTE_ERRORS),
    responses=WITH_ETAG,
)
async def merge_context(
    context_id: ContextId,
    other: Annotated[MergeRequest, Depends(MERGE)],
    caller: ContextsDep,
    change: UpdatePreconditions,
    response: Response,
) -> ContextAnswer:
    """Add the observations of another context of the same model, as if they came later; the other does not change."""
    allow = other.allow_precision_loss
    record = await caller.change(caller.contexts.merge, context_id, other.context, change, allow_precision_loss=allow)
    return with_etag(record, response)


register_method_not_allowed(router, "", "GET", "POST")
register_method_not_allowed(router, "/{context_id}", "GET", "PATCH", "DELETE")


def with_etag(record: ContextRecord, response: Response) -> ContextAnswer:
    """Return the response with a context, and set its ETag."""
    response.headers["ETag"] = etag(record)
    return ContextAnswer.of(record)


def _changed(record: ContextRecord, answer: ContextAnswer) -> Response:
    response = PreparedResponse(answer.model_dump_json(by_alias=True).encode(), JSON)
    response.headers["ETag"] = etag(record)
    return response


def created(record: ContextRecord, response: Response) -> ContextAnswer:
    """Return the response with a new context, and set its ETag and its address."""
    response.headers["Location"] = f"/v1/contexts/{record.id}"
    return with_etag(record, response)


def spec_of(request: NewContext) -> ContextSpec:
    """Convert the fields with which contexts of arrays are created."""
    scale, columns = request.scale, names_of(request.columns)
    return ContextSpec(
        request.model,
        request.version,
        request.decay,
        request.ttl,
        None if scale is None else FeatureScale(tuple(scale.center.tolist()), tuple(scale.spread.tolist())),
        request.like,
        columns or NO_NAMES,
        labels=request.labels,
    )


def _context(observations: ObservationsBody) -> Observations:
    return Observations(observations.x, observations.y, observations.weight)
