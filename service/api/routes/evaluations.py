"""/v1/evaluations: jobs that compare models with reference learners; they send their progress as events."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import Depends, Header, Query, Response
from fastapi.sse import EventSourceResponse, format_sse_event

from service import errors
from service.api.body import Body
from service.api.endpoint import EndpointRouter, Responses
from service.api.method_not_allowed import register_method_not_allowed
from service.api.parameters import EvaluationId, PageRequest, refuse_repeated
from service.api.request import CallerEvaluations, EvaluationsDep, StateDep
from service.api.state import AppState
from service.evaluations.request import EvaluationRequest
from service.observability.request_stats import CURRENT_STATS
from service.schemas.evaluations import EvaluationAnswer, EvaluationPage, EvaluationView

router = EndpointRouter("/v1/evaluations", "evaluations")

REQUEST = Body(EvaluationRequest)

COMMON_ERRORS = (errors.NotReady, errors.Overloaded, errors.DatabaseUnavailable, errors.InvalidInput)
LOCATION = {"description": "The address of the evaluation.", "schema": {"type": "string"}}
ACCEPTED: Responses = {202: {"headers": {"Location": LOCATION}}}

EVENT = {"type": ["string", "object"], "properties": {name: {"type": "string"} for name in ("event", "id", "data")}}
"""Generated clients return the stream as text; readers of server-sent events apply the schema to each event."""
EVENTS: Responses = {
    200: {"description": "The events; data is JSON.", "content": {"text/event-stream": {"schema": EVENT}}}
}

PROGRESS_POLL_INTERVAL = 0.3
"""Seconds between two reads of an evaluation whose progress is sent."""
STREAM_END_MARGIN = 2.0
"""Seconds before the request's deadline at which a stream of events ends; its client connects again."""
MAX_EVENT_ID = 2**53
"""More than the results of any evaluation, and within the integers of every database."""


async def _record(evaluation_id: EvaluationId, caller: EvaluationsDep) -> EvaluationAnswer:
    return await caller.run(caller.evaluations.store.get, evaluation_id)


EvaluationDep = Annotated[EvaluationAnswer, Depends(_record)]
"""An evaluation of the caller; 404 if there is none."""


@router.endpoint(
    "POST",
    "",
    body=REQUEST,
    errors=(*COMMON_ERRORS, errors.UnknownModel, errors.QuotaExceeded),
    responses=ACCEPTED,
    status_code=202,
)
async def start_evaluation(
    request: Annotated[EvaluationRequest, Depends(REQUEST)], caller: EvaluationsDep, response: Response
) -> EvaluationAnswer:
    """Submit an evaluation; it runs in the background, without slowing down predictions.

    The same request gives the same numbers, here and with `gdssm eval`.
    """
    record = await caller.change(caller.evaluations.submit, request)
    response.headers["Location"] = f"/v1/evaluations/{record.id}"
    return record


@router.endpoint("GET", "", errors=COMMON_ERRORS, dependencies=[Depends(refuse_repeated)])
async def list_evaluations(caller: EvaluationsDep, page: Annotated[PageRequest, Query()]) -> EvaluationPage:
    """List the caller's evaluations, oldest first."""
    records = await caller.run(caller.evaluations.store.page, page.limit + 1, page.after)
    listed = records[: page.limit]
    after = listed[-1].id if len(records) > page.limit else None
    return EvaluationPage(evaluations=listed, after=after)


@router.endpoint("GET", "/{evaluation_id}", errors=(*COMMON_ERRORS, errors.UnknownEvaluation))
async def get_evaluation(record: EvaluationDep, caller: EvaluationsDep) -> EvaluationView:
    """Show one evaluation with its results so far."""
    results = await caller.executor.run(partial(caller.evaluations.store.results, record.id))
    return EvaluationView(**dict(record), results=results)


@router.endpoint("POST", "/{evaluation_id}/cancel", errors=(*COMMON_ERRORS, errors.UnknownEvaluation))
async def cancel_evaluation(record: EvaluationDep, caller: EvaluationsDep) -> EvaluationAnswer:
    """Cancel an evaluation; its results so far are kept. A finished evaluation does not change."""
    return await caller.change(caller.evaluations.store.cancel, record.id)


@router.endpoint(
    "GET",
    "/{evaluation_id}/events",
    errors=(*COMMON_ERRORS, errors.UnknownEvaluation),
    responses=EVENTS,
    response_class=Response,
)
async def stream_evaluation_events(
    record: EvaluationDep,
    caller: EvaluationsDep,
    state: StateDep,
    last_event_id: Annotated[int, Header(ge=0, le=MAX_EVENT_ID)] = 0,
) -> Response:
    """Send every new result (`result`), the progress (`progress`), and the end (`end`) of an evaluation.

    A stream ends at the request timeout; a client of server-sent events then connects again, and with `Last-Event-ID`
    continues after the last event that it received.
    """
    return EventSourceResponse(_events(record, caller, state, last_event_id), headers={"Cache-Control": "no-store"})


async def _events(
    record: EvaluationAnswer, caller: CallerEvaluations, state: AppState, sent: int
) -> AsyncIterator[bytes]:
    stats, store, run = CURRENT_STATS.get(), caller.evaluations.store, caller.executor.run
    end = (time.monotonic() + state.settings.request_timeout if stats is None else stats.deadline) - STREAM_END_MARGIN
    while time.monotonic() < end and not state.stopping.begun:
        # The record is read before the results, so that no result of a finished evaluation is missed.
        record = await caller.run(store.get, record.id)
        for result in await run(partial(store.results, record.id, sent)):
            sent += 1
            yield format_sse_event(event="result", id=str(sent), data_str=result.model_dump_json())
        finished = record.is_finished
        data = record.model_dump_json()
        yield format_sse_event(event="end" if finished else "progress", data_str=data)
        if finished:
            return
        await asyncio.sleep(PROGRESS_POLL_INTERVAL)


register_method_not_allowed(router, "", "GET", "POST")
