"""Predictions of tables, with their schema and descriptions, as JSON."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from service.api.representations import distribution_of
from service.contexts.tables import PredictedTable
from service.datasets.nearest import nearest_rows
from service.datasets.table_prediction import TablePrediction
from service.inference.distribution import MAX_REPORTED
from service.inference.predictor import Prediction
from service.tables.cells import Cells, Table, as_text
from service.tables.describing import Inspection, describe_columns
from service.tables.effects import ColumnEffect
from service.tables.encoding import Finding
from service.tables.predicting import PredictedRows, classes_of
from service.tables.row_texts import row_texts
from service.tables.schema import TableSchema

SHOWN_EXAMPLE = 100
"""Characters of a cell in a finding."""


def json_of_inspection(found: Inspection, notes: Sequence[str] = ()) -> bytes:
    """Write an `InspectAnswer`; `notes` are those of reading."""
    fields: dict[str, object] = {"columns": [column._asdict() for column in found.columns], "rows": found.rows}
    if found.schema is not None:
        fields["schema"] = found.schema.as_json()
    if notes:
        fields["read"] = notes
    return to_json(fields, exclude_none=True)


def json_of_prediction(
    job: TablePrediction,
    rows: Sequence[PredictedRows],
    *,
    nearest: int = 0,
    append: bool = False,
    effects: Iterable[ColumnEffect] | None = None,
) -> bytes:
    """Write a `TablePredictAnswer`.

    Args:
        job: Has run.
        rows: Its predictions.
        nearest: How many rows like each predicted row to name.
        append: Whether to write all columns.
        effects: Of columns.
    """
    schema, found = job.schema, [*findings_in(job.context, job.found)]
    found += findings_in(job.query or job.context, job.found_in_queries)
    fields = _fields(schema, job.keys, rows, found, job.context.notes)
    fields |= {"n_observations": job.n_observations, "schema": schema.as_json()}
    fields["columns"] = [column._asdict() for column in describe_columns(schema, job.weight)]
    near = nearest_rows(job, [part.chunk for part in rows], nearest) if nearest else None
    if near is not None:
        fields["nearest"] = near.tolist()
    if effects is not None:
        fields["effects"] = [*map(effect_fields, effects)]
    if append:
        fields["appended"] = _appended(job, np.concatenate([part.chunk.numbers() for part in rows]), near)
    return to_json(fields, inf_nan_mode="null")


def json_of_rows(predicted: PredictedTable, table: Table, keys: Sequence[str]) -> bytes:
    """Write a `TableContextPrediction`."""
    return to_json(fields_of_rows(predicted, table, keys), inf_nan_mode="null")


def fields_of_rows(predicted: PredictedTable, table: Table, keys: Sequence[str]) -> dict[str, object]:
    """Return the fields of a `TableContextPrediction`."""
    found = [*findings_in(table, predicted.found)]
    fields = _fields(predicted.schema, keys, predicted.rows, found, table.notes)
    record = predicted.record
    return fields | {"n_observations": record.n_observations, "version": record.version}


def findings_in(table: Table, findings: Iterable[Finding]) -> Iterator[dict[str, object]]:
    """Write findings as `FindingAnswer`, with their places."""
    for one in findings:
        yield {
            "column": one.column,
            "what": one.what,
            "cells": one.cells,
            "example": one.example[:SHOWN_EXAMPLE],
            "place": table.place(one.row) if one.cells else table.name,
        }


def _fields(
    schema: TableSchema,
    keys: Sequence[str],
    rows: Sequence[PredictedRows],
    findings: Sequence[dict[str, object]],
    read: Sequence[str],
) -> dict[str, object]:
    """Return the fields of a `TableAnswer`, except the number of observations."""
    whole = whole_prediction(rows)
    fields: dict[str, object] = {"prediction": whole.prediction.tolist()}
    if schema.classes:
        fields["prediction"] = classes_of(schema, whole.prediction)
        fields |= {"classes": schema.classes, "probabilities": whole.prediction.tolist()}
    fields["rows"] = [number for part in rows for number in part.chunk.numbers().tolist()]
    if keys:
        fields["keys"] = {name: values_of(part.chunk.cells[name] for part in rows) for name in keys}
    fields |= distribution_of(whole._replace(notes=()))
    notes, model = list(_notes(schema, rows)), whole.model
    if notes:
        fields["notes"] = notes
    fields["model"] = {"name": model.name, "version": model.version, "sha256": model.file_sha256}
    fields["findings"] = findings
    if read:
        fields["read"] = read
    return fields


def effect_fields(effect: ColumnEffect) -> dict[str, object]:
    """Write a `ColumnEffectAnswer`."""
    fields = effect._asdict()
    return without_none({name: value.tolist() if hasattr(value, "tolist") else value for name, value in fields.items()})


def without_none(fields: Mapping[str, object]) -> dict[str, object]:
    """Leave out fields that have no value."""
    return {name: value for name, value in fields.items() if value is not None}


def _appended(job: TablePrediction, rows: NDArray[np.intp], near: NDArray[np.intp] | None) -> dict[str, object]:
    """Return all columns of the predicted rows (M,), and of those nearest to each (M, count)."""
    fields: dict[str, object] = {"rows": row_texts(job.query or job.context, rows)}
    if near is not None:
        columns = row_texts(job.context, near.ravel())
        fields["nearest"] = {
            name: np.array(texts, object).reshape(near.shape).tolist() for name, texts in columns.items()
        }
    return fields


def whole_prediction(chunks: Sequence[PredictedRows]) -> Prediction:
    """Join the predictions of chunks."""
    parts = [part.prediction for part in chunks]
    if len(parts) == 1:
        return parts[0]
    lower, upper, quantiles = (
        None if getattr(parts[0], name) is None else np.concatenate([getattr(part, name) for part in parts], axis)
        for name, axis in (("lower", 0), ("upper", 0), ("quantiles", 1))
    )
    prediction = np.concatenate([part.prediction for part in parts])
    return parts[0]._replace(prediction=prediction, lower=lower, upper=upper, quantiles=quantiles)


def values_of(cells: Iterable[Cells]) -> list[object]:
    """Return the cells of one column as values of JSON."""
    found: list[object] = []
    for part in cells:
        if part.kind in {"number", "boolean"}:
            convert = bool if part.kind == "boolean" else _number
            missing = part.missing().tolist()
            values = zip(part.values.tolist(), missing, strict=True)
            found += [None if gap else convert(value) for value, gap in values]
        else:
            text = as_text(part)
            found += [None if code < 0 else text.texts[code] for code in text.values.tolist()]
    return found


def _number(value: float) -> float:
    """Return an integer as such."""
    return int(value) if value.is_integer() else value


def _notes(schema: TableSchema, chunks: Sequence[PredictedRows]) -> Iterator[dict[str, object]]:
    """Write the notes on all chunks, with names of columns and numbers of rows."""
    found: dict[str, dict[str, list[object]]] = {}
    for part in chunks:
        for note in part.prediction.notes:
            places = found.setdefault(note.code, {})
            if note.columns is not None:
                places["columns"] = [schema.x_columns[place] for place in note.columns]
            if note.queries is not None:
                rows = places.setdefault("rows", [])
                rows += [part.chunk.number(row) for row in note.queries][: MAX_REPORTED - len(rows)]
    for code, places in found.items():
        yield {"code": code, **places}
