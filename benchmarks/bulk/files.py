"""Parquet files of a linear relation, made from a seed."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

INPUTS = 10
GROUP = 2**17
"""Rows of a row group: 12 MB."""
NOISE = 0.5
"""Standard deviation; that of every column of x is 1."""
SCHEMA = pa.schema([*((f"x{i}", pa.float64()) for i in range(INPUTS)), ("y", pa.float64())])
CASES: Mapping[str, float] = {"ordinary": 1.0, "means a million times the spread": 1e6}
"""How large the means of the columns are, beside their spread."""


def write(path: Path, rows: int, mean: float, seed: int) -> None:
    """Write rows of x and y, uncompressed; the relation is the same for every seed.

    Args:
        path: Of the file.
        rows: How many.
        mean: Of every column, from half of that to one and a half.
        seed: Of the rows.
    """
    relation, generator = np.random.default_rng(0), np.random.default_rng([1, seed])
    weight, means = relation.normal(size=INPUTS), mean * relation.uniform(0.5, 1.5, size=INPUTS + 1)
    with parquet.ParquetWriter(path, SCHEMA, compression="NONE", use_dictionary=False) as file:
        for start in range(0, rows, GROUP):
            x = generator.standard_normal((INPUTS, min(GROUP, rows - start)))
            y = weight @ x + NOISE * generator.standard_normal(x.shape[1])
            file.write_table(pa.table([*(np.vstack([x, y]) + means[:, None])], schema=SCHEMA))
