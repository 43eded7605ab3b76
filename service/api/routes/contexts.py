"""/v1/contexts: what lives on the server and learns as observations arrive."""

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from service import errors
from service.api.allowed import register_method_not_allowed
from service.api.body import BINARY_SCHEMA, Body
from service.api.conditions import CreatePreconditions, IfNoneMatchDep, UpdatePreconditions, etag, is_known
from service.api.dependencies import ContextsDep, contexts_of
from service.api.endpoint import EndpointRouter, Responses
from service.api.executor import numbers_in
from service.api.parameters import ContextId, PageRequest
from service.api.representations import SAFETENSORS, accepts_safetensors, response_of
from service.api.safetensors_bodies import read_context_query, read_observations
from service.column_names import NAMELESS
from service.contexts.context_record import ContextRecord
from service.contexts.feature_scale import FeatureScale
from service.explaining.terms import Explanation
from service.inference.predictor import Observations, Prediction
from service.schemas.contexts import (
    ContextAnswer,
    ContextPage,
    ContextPrediction,
    ContextQuery,
    ContextView,
    CreateContext,
    MergeRequest,
    NewObservations,
    names_of,
)
from service.schemas.predictions import ObservationsBody

router = EndpointRouter("/v1/contexts", "contexts")

CREATE = Body(CreateContext)
OBSERVATIONS = Body(NewObservations, {SAFETENSORS: read_observations})
QUERY = Body(ContextQuery, {SAFETENSORS: read_context_query})
MERGE = Body(MergeRequest)

ANY = (
    errors.NotReady,
    errors.Overloaded,
    errors.DatabaseUnavailable,
    errors.InvalidInput,
)
"""What every route of contexts may refuse."""
ONE = (*ANY, errors.UnknownContext)
BODY_ERRORS = (errors.MalformedBody, errors.TooSlow, errors.BodyTooLarge, errors.UnsupportedContentType)
COMPUTING = (errors.NumericOverflow, errors.UnsupportedByModel, errors.PrecisionLoss)
READ = (*ONE, errors.UnknownModel, errors.Conflict)
"""What a route may refuse that needs the model of a context, which may be served no more, or be another file."""
CHANGE = (*READ, errors.VersionMismatch)
NEW = (*ONE, *BODY_ERRORS, errors.Conflict, errors.QuotaExceeded, errors.UnknownModel, errors.UnsupportedByModel)

ETAG = {"description": "The version of the context.", "schema": {"type": "string", "pattern": '^"[0-9]+"$'}}
LOCATION = {"description": "The address of the context.", "schema": {"type": "string"}}
TAGGED: Responses = {200: {"headers": {"ETag": ETAG}}}
MADE: Responses = {201: {"headers": {"ETag": ETAG, "Location": LOCATION}}}
UNCHANGED: Responses = {304: {"description": "As If-None-Match says.", "headers": {"ETag": ETAG}}}


@router.endpoint(
    "POST",
    "",
    body=CREATE,
    errors=(*NEW, errors.NumericOverflow, errors.PrecisionLoss),
    responses=MADE,
    status_code=201,
)
async def create(
    request: Annotated[CreateContext, Depends(CREATE)],
    own: ContextsDep,
    change: CreatePreconditions,
    response: Response,
) -> ContextAnswer:
    """Make a context, empty or with its first observations.

    It keeps a state of constant size, not the rows: what it costs does not grow with what it has seen.
    """
    first = None if request.observations is None else _context(request.observations)
    scale = request.scale
    record = await own.change(
        own.contexts.create,
        request.model,
        first,
        version=request.version,
        decay=request.decay,
        ttl=request.ttl,
        scale=None if scale is None else FeatureScale(tuple(scale.center.tolist()), tuple(scale.spread.tolist())),
        like=request.like,
        columns=NAMELESS if request.columns is None else request.columns.names(),
        change=change,
    )
    return made(record, response)


@router.endpoint("GET", "", errors=ANY)
async def contexts(own: ContextsDep, page: Annotated[PageRequest, Query()]) -> ContextPage:
    """List the caller's contexts, oldest first."""
    return ContextPage.of(await own.run(own.contexts.list, page.limit, page.after))


@router.endpoint("GET", "/{context_id}", errors=ONE, responses=TAGGED | UNCHANGED, response_model=ContextView)
async def context(
    context_id: ContextId, own: ContextsDep, known: IfNoneMatchDep, response: Response
) -> ContextView | Response:
    """Show one context, with the linear model that it amounts to, where its model has one."""
    if known:
        record = await own.run(own.contexts.get, context_id)
        if is_known(record, known):
            return Response(status_code=304, headers={"ETag": etag(record)})
    details = await own.run(own.contexts.view, context_id)
    response.headers["ETag"] = etag(details.record)
    return ContextView.showing(details)


@router.endpoint("DELETE", "/{context_id}", errors=CHANGE, status_code=204)
async def delete(context_id: ContextId, own: ContextsDep, change: UpdatePreconditions) -> None:
    """Forget a context."""
    await own.change(own.contexts.delete, context_id, change)


@router.endpoint(
    "POST",
    "/{context_id}/observations",
    body=OBSERVATIONS,
    errors=(*CHANGE, *BODY_ERRORS, *COMPUTING),
    responses=TAGGED,
)
async def observe(
    context_id: ContextId,
    observations: Annotated[NewObservations, Depends(OBSERVATIONS)],
    own: ContextsDep,
    change: UpdatePreconditions,
    response: Response,
) -> ContextAnswer:
    """Learn further observations: one row or many.

    What is acknowledged has been learnt for good, and with an Idempotency-Key exactly once however often it is sent.
    Weight −1 takes an observation out again: `{"x": [[3.0]], "y": [6.0], "weight": [-1]}` undoes
    `{"x": [[3.0]], "y": [6.0]}`. As safetensors the body has the tensors `x`, `y` and `weight`, and in its metadata may
    have `columns`, the JSON of the same field, and `allow_precision_loss`.
    """
    allow = observations.allow_precision_loss
    new = _context(observations)._replace(columns=names_of(observations.columns))
    record = await own.change(own.contexts.observe, context_id, new, change, allow_precision_loss=allow)
    return tagged(record, response)


@router.endpoint(
    "POST",
    "/{context_id}/predictions",
    body=QUERY,
    errors=(*READ, *BODY_ERRORS, *COMPUTING),
    responses={200: {**TAGGED[200], "content": {SAFETENSORS: {"schema": BINARY_SCHEMA}}}},
    response_model=ContextPrediction,
    fast=True,
)
async def predict(request: Request, context_id: ContextId, body: Annotated[ContextQuery, Depends(QUERY)]) -> Response:
    """Answer queries from what the context has seen; it does not change.

    The answer is that of `POST /v1/predict` with all of its observations; as safetensors too, like there, and with the
    text `context_version`.
    """
    own, binary = contexts_of(request), accepts_safetensors(request)
    query = (body.query, body.parameters, body.wanted())
    columns = names_of(body.columns)

    def respond(predicted: Prediction, explanation: Explanation | None, record: ContextRecord) -> Response:
        response = response_of(predicted, explanation, binary=binary, context_version=record.version)
        response.headers["ETag"] = etag(record)
        return response

    def work(owner: str) -> Response:
        explain = body.explain
        predicted, explanation, record = own.contexts.predict_and_explain(
            owner, context_id, *query, explain=explain, columns=columns
        )
        return respond(predicted, explanation if explain else None, record)

    loaded = None if body.explain else own.contexts.find_cached(own.owner, context_id)
    if loaded is None:
        return await own.run(work)
    # The state is in memory: as for a prediction that keeps nothing, the rest is computation.
    width = (loaded.record.inputs or 0) + (loaded.record.outputs or 0)
    return await own.executor.run(
        lambda: respond(own.contexts.answer(loaded, *query, columns=columns), None, loaded.record),
        numbers_in(len(body.query), width),
        ("context", loaded.runtime.manifest.sha256, width),
    )


@router.endpoint(
    "POST",
    "/{context_id}/merge",
    body=MERGE,
    errors=(*CHANGE, *BODY_ERRORS, *COMPUTING),
    responses=TAGGED,
)
async def merge(
    context_id: ContextId,
    other: Annotated[MergeRequest, Depends(MERGE)],
    own: ContextsDep,
    change: UpdatePreconditions,
    response: Response,
) -> ContextAnswer:
    """Add what another context of the same model has seen, as if it came after; the other stays as it is."""
    allow = other.allow_precision_loss
    record = await own.change(own.contexts.merge, context_id, other.context, change, allow_precision_loss=allow)
    return tagged(record, response)


register_method_not_allowed(router, "", "GET", "POST")
register_method_not_allowed(router, "/{context_id}", "GET", "DELETE")


def tagged(record: ContextRecord, response: Response) -> ContextAnswer:
    """Answer with a context and its version."""
    response.headers["ETag"] = etag(record)
    return ContextAnswer.of(record)


def made(record: ContextRecord, response: Response) -> ContextAnswer:
    """Answer with a new context and its address."""
    response.headers["Location"] = f"/v1/contexts/{record.id}"
    return tagged(record, response)


def _context(observations: ObservationsBody) -> Observations:
    return Observations(observations.x, observations.y, observations.weight)
