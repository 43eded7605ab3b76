"""Answers to batches: a result for each item, as JSON or as lines of JSON."""

from collections.abc import Sequence

from pydantic_core import to_json
from starlette.requests import HTTPConnection

from service.api.batch_bodies import NDJSON
from service.api.body import JSON
from service.api.endpoint import PreparedResponse
from service.api.representations import distribution_of
from service.api.request import headers_of
from service.api.table_representations import fields_of_rows, findings_in
from service.contexts.batches import AnsweredQuery, AnsweredRows
from service.contexts.records import ContextRecord
from service.contexts.requests import ObserveRequest
from service.contexts.tables import TableRows
from service.errors import ServiceError

Answer = dict[str, object]
"""The result of one item."""


def accepts_lines(request: HTTPConnection) -> bool:
    """Return whether the header Accept names lines of JSON."""
    return NDJSON in headers_of(request.scope).get(b"accept", b"").decode("latin-1").lower()


def response_of(results: Sequence[Answer], *, lines: bool) -> PreparedResponse:
    """Write the results of a batch, with null for numbers that are not finite."""
    if lines:
        return PreparedResponse(b"".join(_json(result) + b"\n" for result in results), NDJSON)
    failed = sum("error" in result for result in results)
    return PreparedResponse(_json({"results": results, "failed": failed}), JSON)


def _json(value: object) -> bytes:
    return to_json(value, exclude_none=True, inf_nan_mode="null")


def error_fields(error: ServiceError) -> Answer:
    """Return the fields of a `FailedItem`."""
    detail = error.detail
    return {"error": str(error), "error_type": error.error_type} | ({} if detail is None else {"detail": detail})


def observed_fields(request: ObserveRequest | ServiceError, result: ContextRecord | ServiceError) -> Answer:
    """Return the fields of an `ObservedItem` or of a `FailedItem`."""
    if isinstance(result, ServiceError):
        return error_fields(result)
    fields = _context_fields(result)
    if isinstance(request, ObserveRequest) and isinstance(request.new, TableRows):
        fields["findings"] = list(findings_in(request.new.table, request.new.found))
    return fields


def predicted_fields(result: AnsweredQuery | AnsweredRows | ServiceError) -> Answer:
    """Return the fields of a `PredictedItem`, of a `PredictedTableItem` or of a `FailedItem`."""
    if isinstance(result, ServiceError):
        return error_fields(result)
    if isinstance(result, AnsweredRows):
        return {**_context_fields(result.predicted.record), **fields_of_rows(*result)}
    prediction = result.prediction
    return {
        **_context_fields(result.record),
        "prediction": prediction.prediction.tolist(),
        **distribution_of(prediction),
    }


def _context_fields(record: ContextRecord) -> Answer:
    fields: Answer = {"context": record.id, "version": record.version, "n_observations": record.n_observations}
    return fields if record.name is None else {**fields, "name": record.name}
