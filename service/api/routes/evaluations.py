"""/v1/evaluations: every model beside every reference learner, as a job on the server, with its progress as events."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import Depends, Header, Query, Response
from fastapi.sse import EventSourceResponse, format_sse_event

from service import errors
from service.api.allowed import register_method_not_allowed
from service.api.body import Body
from service.api.dependencies import CallerEvaluations, EvaluationsDep, StateDep
from service.api.endpoint import EndpointRouter, Responses
from service.api.parameters import EvaluationId, PageRequest
from service.api.state import AppState
from service.evaluations.request import EvaluationRequest
from service.observability.request_stats import current
from service.schemas.evaluations import EvaluationAnswer, EvaluationPage, EvaluationView

router = EndpointRouter("/v1/evaluations", "evaluations")

REQUEST = Body(EvaluationRequest)

ANY = (errors.NotReady, errors.Overloaded, errors.DatabaseUnavailable, errors.InvalidInput)
BODY_ERRORS = (errors.MalformedBody, errors.TooSlow, errors.BodyTooLarge, errors.UnsupportedContentType)
LOCATION = {"description": "The address of the evaluation.", "schema": {"type": "string"}}
ACCEPTED: Responses = {202: {"headers": {"Location": LOCATION}}}

EVENT = {"type": "object", "properties": {name: {"type": "string"} for name in ("event", "id", "data")}}
EVENTS: Responses = {
    200: {"description": "The events; data is JSON.", "content": {"text/event-stream": {"schema": EVENT}}}
}

LOOK = 0.3
"""Seconds between two looks at an evaluation whose progress is sent."""
MARGIN = 2.0
"""Seconds before the end of its time at which a stream of events ends by itself; who listens connects again."""
LARGEST_EVENT_ID = 2**53
"""Far more than there are results, and a number that every database can take."""


async def _record(evaluation_id: EvaluationId, own: EvaluationsDep) -> EvaluationAnswer:
    return await own.run(own.evaluations.store.get, evaluation_id)


Recorded = Annotated[EvaluationAnswer, Depends(_record)]
"""An evaluation of the caller's; looked up before anything is answered."""


@router.endpoint(
    "POST",
    "",
    body=REQUEST,
    errors=(*ANY, *BODY_ERRORS, errors.UnknownModel, errors.QuotaExceeded),
    responses=ACCEPTED,
    status_code=202,
)
async def submit(
    request: Annotated[EvaluationRequest, Depends(REQUEST)], own: EvaluationsDep, response: Response
) -> EvaluationAnswer:
    """Ask for an evaluation; it runs in the background and costs predictions nothing.

    The same request gives the same numbers, here and with `gdssm eval`.
    """
    record = await own.change(own.evaluations.submit, request)
    response.headers["Location"] = f"/v1/evaluations/{record.id}"
    return record


@router.endpoint("GET", "", errors=ANY)
async def evaluations(own: EvaluationsDep, page: Annotated[PageRequest, Query()]) -> EvaluationPage:
    """List the caller's evaluations, oldest first."""
    records = await own.run(own.evaluations.store.page, page.limit + 1, page.after)
    shown = records[: page.limit]
    after = shown[-1].id if len(records) > page.limit else None
    return EvaluationPage(evaluations=shown, after=after)


@router.endpoint("GET", "/{evaluation_id}", errors=(*ANY, errors.UnknownEvaluation))
async def evaluation(record: Recorded, own: EvaluationsDep) -> EvaluationView:
    """Show one evaluation with its results so far."""
    results = await own.executor.run(partial(own.evaluations.store.results, record.id))
    return EvaluationView(**dict(record), results=results)


@router.endpoint("POST", "/{evaluation_id}/cancel", errors=(*ANY, errors.UnknownEvaluation))
async def cancel(record: Recorded, own: EvaluationsDep) -> EvaluationAnswer:
    """Stop an evaluation; what it has found so far stays. One that is finished stays as it is."""
    return await own.change(own.evaluations.store.cancel, record.id)


@router.endpoint(
    "GET",
    "/{evaluation_id}/events",
    errors=(*ANY, errors.UnknownEvaluation),
    responses=EVENTS,
    response_class=Response,
)
async def events(
    record: Recorded,
    own: EvaluationsDep,
    parts: StateDep,
    last_event_id: Annotated[int, Header(ge=0, le=LARGEST_EVENT_ID)] = 0,
) -> Response:
    """Send every result as it comes (`result`), how far it is (`progress`), and the end (`end`).

    A stream lasts at most as long as any request; a client of server-sent events then connects again by itself, and
    with `Last-Event-ID` goes on where it was.
    """
    return EventSourceResponse(_events(record, own, parts, last_event_id), headers={"Cache-Control": "no-store"})


async def _events(record: EvaluationAnswer, own: CallerEvaluations, parts: AppState, sent: int) -> AsyncIterator[bytes]:
    asked, store, run = current(), own.evaluations.store, own.executor.run
    end = (time.monotonic() + parts.settings.request_timeout if asked is None else asked.deadline) - MARGIN
    while time.monotonic() < end and not parts.stopping.begun:
        # The record first: of what is finished by then, every result is there.
        record = await own.run(store.get, record.id)
        for result in await run(partial(store.results, record.id, sent)):
            sent += 1
            yield format_sse_event(event="result", id=str(sent), data_str=result.model_dump_json())
        finished = record.is_finished
        state = record.model_dump_json()
        yield format_sse_event(event="end" if finished else "progress", data_str=state)
        if finished:
            return
        await asyncio.sleep(LOOK)


register_method_not_allowed(router, "", "GET", "POST")
