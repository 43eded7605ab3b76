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
from service.contexts.records import StreamStep
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
        if message.row is None and message.observation is None and message.query is None:
            raise InvalidInput(Problem("", "A message has an observation, a query, or both. Send one."))
        answer = await _step(caller, context_id, message)
    except ServiceError as error:
        return StreamError(id=identifier, **body_of(error).model_dump())
    return {"id": identifier, **answer}


async def _step(caller: CallerContexts, context_id: str, message: StreamMessage) -> dict[str, object]:
    """Predict and learn; returns the response without its id."""
    columns, wanted = names_of(message.columns), message.wanted()
    query = None if message.query is None else message.query[None]
    step = partial(caller.contexts.step, write=_written, key=message.idempotency_key)
    if message.row is not None:
        table = table_of_records([message.row], "row")
        row = TableRows(table, digest_of([message.row], table))
        return await caller.change(partial(step, write=partial(_written, row=row)), context_id, row, None, wanted)
    if message.observation is None:
        return await caller.run(partial(step, columns=columns), context_id, None, query, wanted)
    new, allow = _context(message.observation)._replace(columns=columns), message.observation.allow_precision_loss
    return await caller.change(partial(step, allow_precision_loss=allow), context_id, new, query, wanted)


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
