"""/v1/observations and /v1/predictions: observations for many contexts in one request, and queries to many."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated

from fastapi import Depends, Request, Response

from service import errors
from service.api.batch_answers import accepts_lines, error_fields, observed_fields, predicted_fields, response_of
from service.api.batch_bodies import NDJSON, Batch, BatchBody
from service.api.batch_items import SentObservations, SentQueries, read_observations_item, read_query_item
from service.api.batch_requests import (
    ObservationPart,
    QueryPart,
    create_in,
    names_in,
    observations_in,
    parts_of,
    queries_count,
    queries_in,
    query_of,
    request_of,
    rows_in,
    with_rows,
)
from service.api.endpoint import EndpointRouter, Responses
from service.api.method_not_allowed import register_method_not_allowed
from service.api.preconditions import CreatePreconditions, document_max_age, max_age_of
from service.api.representations import SAFETENSORS
from service.api.request import CallerContexts, ContextsDep
from service.api.routes.contexts import COMMON_ERRORS, spec_of
from service.api.safetensors_bodies import read_observation_columns, read_query_columns
from service.errors import CallerError, InvalidInput, ServiceError
from service.inference.checks import size_problems
from service.schemas.batches import (
    CreateOption,
    ObservationColumns,
    ObservationItems,
    ObservationResults,
    PredictionResults,
    QueryColumns,
    QueryItems,
)
from service.schemas.contexts import NewContext
from service.schemas.schema import Schema

router = EndpointRouter("/v1", "batches")

OBSERVATIONS = BatchBody(
    read_observations_item, ObservationItems, ObservationColumns, CreateOption, (SAFETENSORS, read_observation_columns)
)
QUERIES = BatchBody(read_query_item, QueryItems, QueryColumns, Schema, (SAFETENSORS, read_query_columns))
LINES: Responses = {200: {"content": {NDJSON: {"schema": {"type": "string", "minLength": 1}}}}}
CREATE_ERRORS = (errors.UnknownModel, errors.UnsupportedByModel, errors.UnknownContext)


@router.endpoint(
    "POST",
    "/observations",
    body=OBSERVATIONS,
    errors=(*COMMON_ERRORS, errors.Conflict, *CREATE_ERRORS),
    responses=LINES,
    response_model=ObservationResults,
)
async def observe_batch(
    request: Request,
    batch: Annotated[Batch[SentObservations, ObservationColumns], Depends(OBSERVATIONS)],
    caller: ContextsDep,
    change: CreatePreconditions,
) -> Response:
    """Learn observations of many contexts: as items, one for each context, or as columns with the context of each row.

    Each item is learnt or refused by itself, and has its own result: the body of its error, or the version of its
    context. As columns, and as safetensors with the metadata `contexts` or `names` (JSON), the rows of one context are
    one item. An item for a context of rows of tables has `rows`. As lines of JSON each line is an item, and the first
    may be `{"create": {…}}`; with the header Accept `application/x-ndjson` each line of the response is a result. A
    request that is repeated with the same Idempotency-Key is applied once; an item may have its own `idempotency_key`
    instead.
    """
    items = observations_in(batch)
    _check_sizes(caller, observations=rows_in(items))
    ids = await _ids(caller, items, create_in(batch))
    results = [error_fields(item) if isinstance(item, CallerError) else {} for item in items]
    for part, places in enumerate(parts_of(items)):
        learn = partial(
            caller.contexts.batches.observe,
            requests=[request_of(items[place], caller.owner, ids) for place in places],
            write=observed_fields,
            key=change.idempotency_key,
            digest=batch.digest,
            number=part,
        )
        try:
            answers = await caller.change(learn)
        except ServiceError as error:
            if part == 0:
                raise
            answers = [error_fields(error)] * len(places)  # of these alone: the transactions before are stored
        for place, answer in zip(places, answers, strict=True):
            results[place] = answer
    return response_of(with_rows(items, results), lines=accepts_lines(request))


@router.endpoint(
    "POST",
    "/predictions",
    body=QUERIES,
    errors=COMMON_ERRORS,
    responses=LINES,
    response_model=PredictionResults,
    dependencies=[Depends(document_max_age)],
)
async def predict_batch(
    request: Request, batch: Annotated[Batch[SentQueries, QueryColumns], Depends(QUERIES)], caller: ContextsDep
) -> Response:
    """Predict from many contexts, which do not change: as items, or as columns with the context of each row.

    Each item has its own result: its predictions, or the body of its error. The forms of the body are those of
    `POST /v1/observations`; queries as records or columns are rows for a context of rows of tables. With
    `Cache-Control: max-age=5` each answer may be that of its context up to 5 seconds ago.
    """
    items, lines, max_age = queries_in(batch), accepts_lines(request), max_age_of(request)
    _check_sizes(caller, queries=queries_count(items))
    ids = await _ids(caller, items, None)

    def work(owner: str) -> Response:
        results = caller.contexts.batches.predict(owner, [query_of(item, ids) for item in items], max_age)
        return response_of(with_rows(items, [predicted_fields(result) for result in results]), lines=lines)

    return await caller.run(work)


register_method_not_allowed(router, "/observations", "POST")
register_method_not_allowed(router, "/predictions", "POST")


async def _ids(
    caller: CallerContexts, items: Sequence[ObservationPart | QueryPart | CallerError], create: NewContext | None
) -> Mapping[str, str | ServiceError]:
    """Find the ids of the names of items, and create contexts of unknown ones."""
    names = names_in(items)
    if not names:
        return {}
    if create is None:
        return await caller.run(caller.contexts.batches.ids_of, names)
    return await caller.change(caller.contexts.batches.ids_of, names, spec_of(create))


def _check_sizes(caller: CallerContexts, *, observations: int = 0, queries: int = 0) -> None:
    problems = size_problems(
        caller.contexts.limits, inputs=0, outputs=1, observations=observations, queries=queries, x_field="x"
    )
    if problems:
        raise InvalidInput(*problems)
