"""/v1/contexts: what lives on the server and learns as observations arrive."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from service import errors
from service.api.allowed import register_method_not_allowed
from service.api.binary import BYTES, BinaryRoute, answer_of, wants_binary
from service.api.conditions import CreatePreconditions, IfNoneMatchDep, UpdatePreconditions, etag, is_known
from service.api.errors import documented
from service.api.executor import numbers_in
from service.api.own import ContextsDep
from service.api.parameters import ContextId, PageRequest
from service.api.ready import json_of
from service.column_names import NAMELESS
from service.contexts.context_record import ContextRecord
from service.contexts.feature_scale import FeatureScale
from service.explaining.terms import Explanation
from service.predictor import Context, Prediction
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
from service.schemas.predictions import Observations

router = APIRouter(prefix="/v1/contexts", tags=["contexts"], route_class=BinaryRoute)

ANY = (
    errors.NotReady,
    errors.Overloaded,
    errors.DatabaseUnavailable,
    errors.InvalidInput,
)
"""What every route of contexts may refuse."""
ONE = (*ANY, errors.UnknownContext)
BODY = (errors.MalformedBody, errors.TooSlow, errors.BodyTooLarge, errors.UnsupportedContentType)
COMPUTING = (errors.NumericOverflow, errors.UnsupportedByModel, errors.PrecisionLoss)
READ = (*ONE, errors.UnknownModel, errors.Conflict)
"""What a route may refuse that needs the model of a context, which may be served no more, or be another file."""
CHANGE = (*READ, errors.VersionMismatch)
NEW = (*ONE, *BODY, errors.Conflict, errors.QuotaExceeded, errors.UnknownModel, errors.UnsupportedByModel)

ETAG = {"description": "The version of the context.", "schema": {"type": "string", "pattern": '^"[0-9]+"$'}}
LOCATION = {"description": "The address of the context.", "schema": {"type": "string"}}
TAGGED: dict[int | str, dict[str, Any]] = {200: {"headers": {"ETag": ETAG}}}
MADE: dict[int | str, dict[str, Any]] = {201: {"headers": {"ETag": ETAG, "Location": LOCATION}}}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "As If-None-Match says.", "headers": {"ETag": ETAG}}}


@router.post("", status_code=201, responses=documented(*NEW, errors.NumericOverflow, errors.PrecisionLoss) | MADE)
async def create(
    request: CreateContext, own: ContextsDep, change: CreatePreconditions, response: Response
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


@router.get("", responses=documented(*ANY))
async def contexts(own: ContextsDep, page: Annotated[PageRequest, Query()]) -> ContextPage:
    """List the caller's contexts, oldest first."""
    return ContextPage.of(await own.run(own.contexts.list, page.limit, page.after))


@router.get("/{context_id}", response_model=ContextView, responses=documented(*ONE) | TAGGED | UNCHANGED)
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


@router.delete("/{context_id}", status_code=204, responses=documented(*CHANGE))
async def delete(context_id: ContextId, own: ContextsDep, change: UpdatePreconditions) -> None:
    """Forget a context."""
    await own.change(own.contexts.delete, context_id, change)


@router.post(
    "/{context_id}/observations",
    responses=documented(*CHANGE, *BODY, *COMPUTING) | TAGGED,
    openapi_extra={"requestBody": BYTES},
)
async def observe(
    context_id: ContextId,
    observations: NewObservations,
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


@router.post(
    "/{context_id}/predictions",
    responses=documented(*READ, *BODY, *COMPUTING) | {200: {**TAGGED[200], **BYTES}},
    response_model=ContextPrediction,
    openapi_extra={"requestBody": BYTES},
)
async def predict(http: Request, context_id: ContextId, query: ContextQuery, own: ContextsDep) -> Response:
    """Answer queries from what the context has seen; it does not change.

    The answer is that of `POST /v1/predict` with all of its observations; as safetensors too, like there, and with the
    text `context_version`.
    """
    binary, asked = wants_binary(http), (query.query, query.parameters, query.wanted())
    columns = names_of(query.columns)

    def written(predicted: Prediction, explanation: Explanation | None, record: ContextRecord) -> Response:
        if binary:
            answer = answer_of(predicted, explanation, context_version=str(record.version))
        else:
            answer = json_of(predicted, explanation if query.explain else None, version=record.version)
        answer.headers["ETag"] = etag(record)
        return answer

    def work(owner: str) -> Response:
        explain = query.explain
        return written(*own.contexts.predict_and_explain(owner, context_id, *asked, explain=explain, columns=columns))

    held = None if query.explain else own.contexts.at_hand(own.owner, context_id)
    if held is None:
        return await own.run(work)
    # Nothing has to be waited for: what is left is computing, as for a prediction that keeps nothing.
    width = (held.record.inputs or 0) + (held.record.outputs or 0)
    return await own.pool.run(
        lambda: written(own.contexts.answer(held, *asked, columns=columns), None, held.record),
        numbers_in(len(query.query), width),
        ("held", held.runtime.manifest.sha256, width),
    )


@router.post("/{context_id}/merge", responses=documented(*CHANGE, *BODY, *COMPUTING) | TAGGED)
async def merge(
    context_id: ContextId, other: MergeRequest, own: ContextsDep, change: UpdatePreconditions, response: Response
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


def _context(observations: Observations) -> Context:
    return Context(observations.x, observations.y, observations.weight)
