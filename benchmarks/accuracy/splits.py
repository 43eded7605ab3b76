"""Random splits of a table into a context of n rows and rows to test on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.tables import Table, Target

SIZES = (5, 10, 20, 50, 100, 500, 2_000)
"""Rows of context."""
SPLITS = 15
MIN_TEST, MAX_TEST = 50, 400
"""Rows to test on."""


@dataclass(frozen=True, eq=False)
class Split:
    """Context and test rows of one table.

    Attributes:
        x, y: (n, D) and (n,), the context.
        x_test, y_test: (m, D) and (m,), with 50 ≤ m ≤ 400.
        classes: C, or 0 for regression.
    """

    x: NDArray[np.float64]
    y: Target
    x_test: NDArray[np.float64]
    y_test: Target
    classes: int


def fits(table: Table, n: int) -> bool:
    """Whether a context of n rows leaves enough rows to test on."""
    return len(table.x) >= n + MIN_TEST


def split(table: Table, n: int, index: int) -> Split:
    """Draw split number `index`: of a permutation, the first n rows are the context, the next 400 the test."""
    order = np.random.default_rng(1_000 * index + n).permutation(len(table.x))
    context, test = order[:n], order[n : n + MAX_TEST]
    return Split(table.x[context], table.y[context], table.x[test], table.y[test], table.classes)
