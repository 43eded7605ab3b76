"""Rows of many contexts as safetensors in requests of a bounded number of rows, and their results."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gdssm_client import array_body, frames
from gdssm_client.call import Call, max_age_header, new_idempotency_key, reading
from gdssm_client.choices import ITEMS_LIMIT
from gdssm_client.errors import InvalidArgument
from gdssm_client.learning.sizes import Array
from gdssm_client.real_numbers import F64
from gdssm_client.schemas import (
    FailedItem,
    ObservationResults,
    ObservedItem,
    PredictedItem,
    PredictionResults,
)

read_observations = reading(ObservationResults)
read_predictions = reading(PredictionResults)
ResultItem = ObservedItem | FailedItem | PredictedItem


@dataclass(frozen=True)
class BatchPrediction:
    """The predictions for the rows of many contexts."""

    prediction: Any
    """(M,) or (M, K), of the kind of the query; NaN for the rows of contexts that failed."""
    lower: Any
    """The lower bounds of `interval`, as the prediction; None if there was none."""
    upper: Any
    results: tuple[PredictedItem | FailedItem, ...]
    """One for each context of a request, in the order of its first row; `rows` has the numbers of its rows."""

    @property
    def failed(self) -> tuple[FailedItem, ...]:
        """The errors."""
        return tuple(result for result in self.results if isinstance(result, FailedItem))


@dataclass(frozen=True)
class ContextRows:
    """Rows with their contexts: ids, or names."""

    field: str
    contexts: Sequence[str]
    arrays: Mapping[str, Array | None]

    def parts(self) -> Iterator[tuple[int, "ContextRows"]]:
        """Divide the rows into requests; returns the number of the first row of each too."""
        for start in range(0, len(self.contexts), ITEMS_LIMIT):
            end = start + ITEMS_LIMIT
            arrays = {name: None if array is None else array[start:end] for name, array in self.arrays.items()}
            yield start, ContextRows(self.field, self.contexts[start:end], arrays)

    def body(self, **texts: str | None) -> bytes:
        """Write the rows of one request."""
        return array_body.write(self.arrays, **{self.field: json.dumps([*map(str, self.contexts)]), **texts})


def observations(
    contexts: object, names: object, x: frames.Columns, y: frames.Columns, weight: Array | None
) -> ContextRows:
    """Put observations together."""
    field, texts = contexts_of(contexts, names)
    return ContextRows(field, texts, {"x": x.numbers, "y": y.numbers, "weight": weight})


def contexts_of(contexts: object, names: object) -> tuple[str, Sequence[str]]:
    """Return the contexts of the rows, and whether they are ids or names.

    Raises:
        InvalidArgument: Both were given, or neither.
    """
    if (contexts is None) == (names is None):
        raise InvalidArgument("Give one of contexts and names: the context of each row.")
    given = names if contexts is None else contexts
    return ("names" if contexts is None else "contexts"), [str(text) for text in given]  # type: ignore[attr-defined]


def observe_call(rows: ContextRows, texts: Mapping[str, str | None]) -> Call[ObservationResults]:
    """Make a request that is learnt once, however often it is sent."""
    headers = {**array_body.SEND, **new_idempotency_key()}
    return Call("POST", "/v1/observations", read_observations, rows.body(**texts), headers)


def predict_call(rows: ContextRows, texts: Mapping[str, str | None], max_age: int | None) -> Call[PredictionResults]:
    """Make a request for predictions."""
    headers = {**array_body.SEND, **max_age_header(max_age)}
    return Call("POST", "/v1/predictions", read_predictions, rows.body(**texts), headers)


def moved(result: Any, start: int) -> Any:  # noqa: ANN401  (any of ResultItem)
    """Count the rows of a result from the first row of all requests."""
    return replace(result, rows=[start + row for row in result.rows or ()])


def together(query: object, count: int, results: Sequence[PredictedItem | FailedItem]) -> BatchPrediction:
    """Put the predictions of all contexts in the order of the rows of a query."""
    shape = frames.writer(query, None)
    found = [_column(count, results, part) for part in ("prediction", "lower", "upper")]
    arrays = [None if array is None else shape(array) for array in found]
    return BatchPrediction(arrays[0], arrays[1], arrays[2], tuple(results))


def _column(count: int, results: Sequence[PredictedItem | FailedItem], part: str) -> F64 | None:
    """Put one part of the predictions in the order of the rows: (M,) or (M, K); None if no result has it."""
    found = [
        (result.rows or [], values)
        for result in results
        if not isinstance(result, FailedItem) and (values := _values(result, part)) is not None
    ]
    if not found:
        return np.full(count, np.nan) if part == "prediction" else None
    array = np.full((count, *found[0][1].shape[1:]), np.nan)
    for rows, values in found:
        if values.shape[1:] != array.shape[1:]:
            raise InvalidArgument("The contexts have different numbers of outputs. Ask for similar ones together.")
        array[rows] = values
    return array


def _values(result: PredictedItem, part: str) -> F64 | None:
    if part == "prediction":
        return np.asarray(result.prediction, np.float64)
    return None if result.interval is None else np.asarray(getattr(result.interval, part), np.float64)
