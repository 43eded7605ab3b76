"""The parts of the routes of contexts that take rows of tables."""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import Response

from service.api.body import JSON
from service.api.endpoint import PreparedResponse
from service.api.preconditions import etag
from service.api.request import CallerContexts
from service.api.routes.tables import given_schema, max_rows_of
from service.api.table_answers import file_of_rows
from service.api.table_files import TableFile, digest_of, open_rows
from service.api.table_representations import findings_in, json_of_rows
from service.contexts.records import Change, ContextRecord
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.contexts.tables import TableRows
from service.errors import InvalidInput, Problem
from service.schemas.contexts import ContextAnswer
from service.schemas.tables import (
    FindingAnswer,
    ObservedContext,
    TableContextQuery,
    TableCreateContext,
    TableObservations,
)
from service.tables.cells import Table
from service.tables.predicting import infer_schema

Observed = tuple[ContextRecord, list[FindingAnswer]]


def create_of_rows(contexts: ContextService, owner: str, request: TableCreateContext, change: Change) -> Observed:
    """Create a context by its first rows, or empty with a schema.

    Raises:
        InvalidInput: The rows or the schema do not fit; see `ContextService.create`.
    """
    schema = None if request.schema_ is None else given_schema(request, request.schema_, request.target)
    spec = ContextSpec(
        request.model,
        request.version,
        request.decay,
        request.ttl,
        like=request.like,
        schema=schema,
        name=request.name,
        labels=request.labels,
    )
    if request.rows is None:
        if schema is None:
            raise InvalidInput(Problem("rows", "is missing. Send rows with a target, or a schema."))
        return contexts.create(owner, spec, change=change), []
    with open_rows(request, request.rows, "rows", max_rows_of(contexts.limits)) as table:
        if schema is None and request.like is None:
            if request.target is None:
                raise InvalidInput(Problem("target", "is missing. Name the column to predict."))
            spec = replace(spec, schema=infer_schema(table, request.requested(request.target)))
        rows = TableRows(table, digest_of(request.rows, table), request.weight)
        return contexts.create(owner, spec, rows, change), _findings(rows)


async def observe_rows(caller: CallerContexts, context_id: str, request: TableObservations, change: Change) -> Observed:
    """Learn from rows: of JSON together with other requests that wait for the context, of a file alone.

    Raises:
        InvalidInput: They do not fit the schema; see `ContextService.observe`.
    """
    if isinstance(request.rows, TableFile):
        return await caller.change(lambda owner: _observe_file(caller.contexts, owner, context_id, request, change))
    size = _cells(request.rows)
    rows = await caller.executor.run(lambda: _rows_of(request, request.table_of(request.rows, "rows")), size)
    allow = request.allow_precision_loss
    record = await caller.observe(context_id, rows, change, size, allow_precision_loss=allow)
    return record, _findings(rows)


def observed(context: ContextAnswer, findings: Sequence[FindingAnswer]) -> ObservedContext:
    """Add findings to the answer with a context."""
    return ObservedContext(**dict(context), findings=list(findings))


def predict_rows(
    contexts: ContextService,
    owner: str,
    context_id: str,
    request: TableContextQuery,
    file: str | None,
    *,
    max_age: float = 0.0,
) -> Response:
    """Predict for rows.

    Raises:
        InvalidInput: They do not fit the schema; see `ContextService.predict_rows`.
    """
    keys, wanted = tuple(request.keys), request.wanted()
    with open_rows(request, request.query, "query", max_rows_of(contexts.limits)) as table:
        found = contexts.predict_rows(owner, context_id, table, request.parameters, wanted, keys=keys, max_age=max_age)
        response = (
            PreparedResponse(json_of_rows(found, table, keys), JSON)
            if file is None
            else PreparedResponse(file_of_rows(found.schema, keys, found.rows, file, wanted.quantiles), file)
        )
    response.headers["ETag"] = etag(found.record)
    return response


def _observe_file(
    contexts: ContextService, owner: str, context_id: str, request: TableObservations, change: Change
) -> Observed:
    with open_rows(request, request.rows, "rows", max_rows_of(contexts.limits)) as table:
        rows, allow = _rows_of(request, table), request.allow_precision_loss
        record = contexts.observe(owner, context_id, rows, change, allow_precision_loss=allow)
        return record, _findings(rows)


def _rows_of(request: TableObservations, table: Table) -> TableRows:
    return TableRows(table, digest_of(request.rows, table), request.weight)


def _cells(rows: object) -> int:
    """Count the cells of columns, or of records that have as many as the first."""
    if isinstance(rows, dict):
        return sum(len(column) for column in rows.values() if isinstance(column, list))
    return len(rows) * len(rows[0]) if isinstance(rows, list) and rows and isinstance(rows[0], dict) else 1


def _findings(rows: TableRows) -> list[FindingAnswer]:
    return [FindingAnswer.model_validate(found) for found in findings_in(rows.table, rows.found)]
