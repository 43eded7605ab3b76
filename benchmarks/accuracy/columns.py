"""A data frame and the name of its target as arrays: numeric and two-valued columns only, complete rows only."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

MAX_ROWS = 8_000
ROW_SEED = 0


def features_and_target(
    frame: pd.DataFrame, target: str, drop: Collection[str] = ()
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Separate the columns that a model can read from the target.

    Args:
        frame: The table as its package has it.
        target: The column to predict.
        drop: Columns that identify rows or give the target away.

    Returns:
        x (n, D) and y (n,), the latter as it stands in the table; rows with a gap in either are left out.
    """
    columns = {
        str(name): encoded
        for name in frame.columns
        if name != target and name not in drop and (encoded := _encode(frame[name])) is not None
    }
    x = np.column_stack(list(columns.values()))
    complete = np.isfinite(x).all(axis=1) & frame[target].notna().to_numpy()
    return x[complete], frame[target].to_numpy(dtype=object)[complete]


def choose_rows(rows: int) -> NDArray[np.intp]:
    """Return the indices of at most `MAX_ROWS` rows: all in order, or the first of a seeded permutation."""
    if rows <= MAX_ROWS:
        return np.arange(rows)
    return np.random.default_rng(ROW_SEED).permutation(rows)[:MAX_ROWS]


def _encode(column: pd.Series) -> NDArray[np.float64] | None:
    """Write a column as numbers, gaps as NaN; a text column as 0 and 1 if it has two values, otherwise None."""
    if is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = sorted(column.dropna().unique(), key=str)
    if len(values) != 2:
        return None
    return column.map({values[0]: 0.0, values[1]: 1.0}).to_numpy(dtype=np.float64, na_value=np.nan)
