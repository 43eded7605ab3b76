"""The observations that are most like a row to predict."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.datasets.table_prediction import TablePrediction, context_rows
from service.errors import InvalidInput, Problem
from service.tables.cells import Chunk
from service.tables.encoding import Findings, queries

Array = NDArray[np.float64]

COMPARED_LIMIT = 10**8
"""Distances of a request."""
BLOCK = 2**22
"""Numbers in memory at a time."""


def nearest_rows(job: TablePrediction, chunks: Sequence[Chunk], count: int) -> NDArray[np.intp]:
    """Find the rows of the context that are most like each predicted row.

    Args:
        job: Has run.
        chunks: The predicted rows.
        count: How many for each.

    Returns:
        Their numbers in the context (M, count), the nearest first.
    """
    rows, query = context_rows(job), np.concatenate([queries(job.schema, chunk, Findings()) for chunk in chunks])
    found: NDArray[np.intp] = rows.places[nearest(rows.x, query, count)]
    return found


def nearest(x: Array, query: Array, count: int) -> NDArray[np.intp]:
    """Find the nearest observations, by Euclidean distance of standardised columns.

    A missing cell is as far as the mean of its column; a column that does not vary does not count.

    Args:
        x: (N, D); NaN where a cell is missing.
        query: (M, D)
        count: How many for each query; fewer if N is smaller.

    Returns:
        Places in x (M, count), the nearest first.

    Raises:
        InvalidInput: There are too many distances.
    """
    if len(x) * len(query) > COMPARED_LIMIT:
        text = f"compares {len(query)} rows with {len(x)}; the limit is {COMPARED_LIMIT:,} distances. Leave it out."
        raise InvalidInput(Problem("nearest", text))
    there = ~np.isnan(x)
    total = there.sum(0).clip(min=1)
    mean = np.where(there, x, 0.0).sum(0) / total
    deviation = np.sqrt((np.where(there, x - mean, 0.0) ** 2).sum(0) / total)
    unit = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    known, wanted = (np.nan_to_num((rows - mean) * unit) for rows in (x, query))
    size, step, squares = min(count, len(x)), max(1, BLOCK // max(1, len(x))), (known**2).sum(1)
    found = np.empty((len(query), size), np.intp)
    for start in range(0, len(query), step):
        distance = squares - 2.0 * wanted[start : start + step] @ known.T  # without the part that is the same for all
        places = np.sort(np.argpartition(distance, size - 1, 1)[:, :size], 1)
        order = np.argsort(np.take_along_axis(distance, places, 1), 1, kind="stable")
        found[start : start + step] = np.take_along_axis(places, order, 1)
    return found
