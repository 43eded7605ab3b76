"""WebSocket /v1/contexts/{id}/stream: predict, then learn, for each message."""

from contextlib import suppress
from functools import partial

import numpy as np
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic_core import to_json

from service.api.body import decode, validate
from service.api.errors import body_of
from service.api.executor import BYTES_PER_NUMBER
from service.api.parameters import ContextId
from service.api.representations import distribution_of
from service.api.request import CallerContexts, ContextsDep
from service.api.table_files import digest_of
from service.api.table_representations import findings_in
from service.contexts.records import Change, StreamStep
from service.contexts.requests import StepRequest
from service.contexts.tables import TableRows
from service.errors import InvalidInput, Problem, ServiceError, UnknownContext
from service.inference.predictor import Observations, Prediction
from service.schemas.contexts import names_of
from service.schemas.streams import OneObservation, StreamError, StreamMessage, message_id
from service.tables.memory import table_of_records
from service.tables.predicting import classes_of

router = APIRouter(prefix="/v1/contexts")

CONTEXT_GONE = 4404
"""Close code of a stream whose context was deleted."""


@router.websocket("/{context_id}/stream")
async def stream(websocket: WebSocket, context_id: ContextId, caller: ContextsDep) -> None:
    """Process one message at a time; the next one is read after the response is sent."""
    await caller.run(caller.contexts.get, context_id)
    await websocket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            answer = await _answer(caller, context_id, await _receive(websocket))
            await websocket.send_text(to_json(answer, inf_nan_mode="null").decode())
            if isinstance(answer, StreamError) and answer.error_type == UnknownContext.error_type:
                await websocket.close(CONTEXT_GONE)
                return


async def _receive(websocket: WebSocket) -> bytes:
    """Wait for the next message, sent as text or as bytes."""
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    text: str | None = message.get("text")
    return message["bytes"] if text is None else text.encode()


async def _answer(caller: CallerContexts, context_id: ContextId, sent: bytes) -> StreamError | dict[str, object]:
    """Process a message; returns the fields of a `StreamAnswer`, or an error."""
    identifier = None
    try:
        size = len(sent) // BYTES_PER_NUMBER
        value = await caller.executor.run(partial(decode, sent, StreamMessage), size)
        identifier = _identifier(value)
        message = await caller.executor.run(partial(validate, value, StreamMessage), size)
        if message.row is not None and (message.observation is not None or message.query is not None):
            raise InvalidInput(Problem("row", "comes alone. Send a row, or an observation, a query, or both."))
        answer = await _step(caller, context_id, message)
    except ServiceError as error:
        return StreamError(id=identifier, **body_of(error).model_dump())
    return {"id": identifier, **answer}


async def _step(caller: CallerContexts, context_id: str, message: StreamMessage) -> dict[str, object]:
    """Predict and learn, with other observations that wait for the context; returns the response without its id."""
    contexts, wanted, columns = caller.contexts, message.wanted(), names_of(message.columns)
    step_of = partial(StepRequest, caller.owner, context_id, change=Change(message.idempotency_key), wanted=wanted)
    query = None if message.query is None else message.query[None]
    if message.row is not None:
        row = _row(message.row)
        step = await caller.run(contexts.predict_row_step, context_id, row, wanted)
        if step is not None:
            return _written(step, row)
        request, size = step_of(row, write=partial(_written, row=row)), len(message.row)
    elif message.observation is not None:
        new, allow = _context(message.observation)._replace(columns=columns), message.observation.allow_precision_loss
        request = step_of(new, allow_precision_loss=allow, query=query, write=_written)
        size = new.x.size + new.y.size
    elif query is not None:
        return _written(await caller.run(contexts.predict_step, context_id, query, wanted, columns=columns))
    else:
        raise InvalidInput(Problem("", "A message has an observation, a query, or both. Send one."))
    answer: dict[str, object] = await caller.combiner.observe(request, size)
    return answer


def _written(step: StreamStep, row: TableRows | None = None) -> dict[str, object]:
    """Return the result of a step as JSON values and NaN."""
    distribution = {} if step.prediction is None else distribution_of(_first(step.prediction))
    if step.prediction is not None and step.schema is not None and step.schema.classes:
        (distribution["class"],) = classes_of(step.schema, step.prediction.prediction)
    if row is not None and (findings := list(findings_in(row.table, row.found))):
        distribution["findings"] = findings
    return {
        "prediction": None if step.prediction is None else step.prediction.prediction[0].tolist(),
        "error": None if step.error is None else step.error[0].tolist(),
        **distribution,
        "n_observations": step.record.n_observations,
        "version": step.record.version,
    }


def _first(prediction: Prediction) -> Prediction:
    """Select the bounds and the quantiles of the first query."""
    return prediction._replace(
        lower=None if prediction.lower is None else prediction.lower[0],
        upper=None if prediction.upper is None else prediction.upper[0],
        quantiles=None if prediction.quantiles is None else prediction.quantiles[:, 0],
    )


def _identifier(value: dict[str, object]) -> str | int | None:
    """Return the id of a message that is not validated yet; None if it has no valid one."""
    with suppress(InvalidInput):
        return message_id(value.get("id"), "")
    return None


def _context(observation: OneObservation) -> Observations:
    weight = None if observation.weight is None else np.array([observation.weight])
    return Observations(observation.x[None], observation.y[None], weight)


def _row(row: dict[str, object]) -> TableRows:
    table = table_of_records([row], "row")
    return TableRows(table, digest_of([row], table))
