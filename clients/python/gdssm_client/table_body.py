"""Tables as JSON, and predictions of tables from JSON."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import httpx
import narwhals as nw
import numpy as np

from gdssm_client import frame_tables, frames
from gdssm_client.answers import TablePredictionResult
from gdssm_client.call import reading
from gdssm_client.cells import Cells, as_text
from gdssm_client.errors import InvalidArgument
from gdssm_client.frames import Frame
from gdssm_client.schemas import TablePredictAnswer

Columns = dict[str, list[Any]]


def columns_of(values: object, name: str) -> Columns:
    """Convert a table to columns of JSON: numbers, texts, booleans and None; times become texts.

    Args:
        values: A frame, a list of records, or a mapping of columns.
        name: Its name in messages.

    Raises:
        InvalidArgument: It is something else, or a column has a type that is not supported.
    """
    frame = frame_tables.frame_of(values, name)
    if frame is not None:
        table = frame_tables.table_of(frame, name)
    elif isinstance(values, Mapping):
        table = frame_tables.table_of_lists({str(column): _list(cells) for column, cells in values.items()}, name)
    elif isinstance(values, Sequence) and all(isinstance(record, Mapping) for record in values):
        table = frame_tables.table_of_lists(_columns_of_records(values), name)
    else:
        what = f"this is of type {type(values).__name__}"
        raise InvalidArgument(f"{name} must be a frame, a list of records or a mapping of columns; {what}.")
    return _as_json(table)


def as_list(names: Iterable[Any] | None) -> list[Any] | None:
    """Return a list, None if it is empty."""
    return list(names or ()) or None


def prediction_reader(rows: object, query: object, target: str) -> Callable[[httpx.Response], TablePredictionResult]:
    """Make the reader of a prediction, which is of the kind of the query.

    Args:
        rows: The table of the request, whose rows without a target are predicted if there is no query.
        query: The table of the rows to predict, or None.
        target: The name of the predictions.
    """
    source = frame_tables.frame_of(*((rows, "rows") if query is None else (query, "query")))
    parse = reading(TablePredictAnswer)

    def read(response: httpx.Response) -> TablePredictionResult:
        answer = parse(response)
        interval, classes = answer.interval, tuple(answer.classes or ())
        shape, probabilities = _shape(source, answer.rows, (target,)), _shape(source, answer.rows, classes)
        return TablePredictionResult(
            shape(answer.prediction),
            answer.model.name,
            answer.model.version,
            answer.model.sha256,
            answer.n_observations,
            rows=tuple(answer.rows),
            keys={name: list(map(_key, cells)) for name, cells in (answer.keys or {}).items()},
            lower=None if interval is None else shape(interval.lower),
            upper=None if interval is None else shape(interval.upper),
            quantiles=tuple(map(shape, answer.quantiles or ())),
            classes=classes,
            probabilities=None if answer.probabilities is None else probabilities(answer.probabilities),
            schema=answer.schema_,
            columns=tuple(answer.columns),
            findings=tuple(answer.findings),
            notes=tuple(answer.notes or ()),
        )

    return read


def _shape(frame: Frame | None, rows: Sequence[int], names: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    """Make the function that converts lists to the kind of a frame, with its index; lists stay lists."""

    def shape(values: Sequence[Any]) -> object:
        found = [np.nan if value is None else value for value in values]
        return found if frame is None else frames.writer(frame[list(rows)].to_native(), names)(np.array(found))

    return shape


def _key(cell: object) -> object:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _as_json(table: frame_tables.Table) -> Columns:
    return {name: json_values(cells) for name, cells in table.items()}


def json_values(cells: Cells) -> list[Any]:
    """Convert the cells of a column to values of JSON; None where a cell is missing."""
    missing = cells.missing().tolist()
    if cells.kind in {"number", "boolean"}:
        convert = bool if cells.kind == "boolean" else float
        return [None if gap else convert(value) for value, gap in zip(cells.values.tolist(), missing, strict=True)]
    text = as_text(cells)
    return [None if gap else text.texts[code] for code, gap in zip(text.values.tolist(), missing, strict=True)]


def _list(values: Any) -> list[Any]:  # noqa: ANN401  (a list, an array or a series)
    native = nw.from_native(values, series_only=True, pass_through=True)
    if isinstance(native, nw.Series):
        return native.to_list()
    return values.tolist() if hasattr(values, "tolist") else list(values)


def _columns_of_records(records: Sequence[Mapping[Any, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(str(name) for record in records for name in record)
    rows = [{str(name): value for name, value in record.items()} for record in records]
    return {name: [row.get(name) for row in rows] for name in names}
