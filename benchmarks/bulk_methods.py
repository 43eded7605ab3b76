"""The Parquet files, and the methods: each reads the context, answers the queries and writes the answers."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from service.tables.reading import open_table
from tests.gdssm.linear_oracle import Array

INPUTS = 10
GROUP = 2**17
"""Rows of a row group: 12 MB."""
NOISE = 0.5
"""Standard deviation; that of every column of x is 1."""
SCHEMA = pa.schema([*((f"x{i}", pa.float64()) for i in range(INPUTS)), ("y", pa.float64())])
CASES: Mapping[str, float] = {"ordinary": 1.0, "means a million times the spread": 1e6}
"""Means of the columns, relative to their spread."""
TARGET = "y"
"""The last column of the context."""

Method = Callable[[Path, Path, int], Array]
"""From the files of the context and of the queries, and the rows of a chunk, to the answers (M,)."""


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


def one_pass(context: Path, query: Path, rows: int) -> Array:
    """Plain numpy: XᵀX, Xᵀy and the sums in one pass, by the reader and in the chunks that `gdssm predict` has."""
    count, total, products = 0, np.zeros(1), np.zeros((1, 1))
    for chunk in chunks(context, rows):
        count += len(chunk)
        total = total + chunk.sum(0)
        products = products + chunk.T @ chunk
    mean = total / count
    covariance = products / count - np.outer(mean, mean)
    weight = np.linalg.lstsq(covariance[:-1, :-1], covariance[:-1, -1])[0]
    queries = np.concatenate(list(chunks(query, rows)))[:, :-1]
    answers: Array = (queries - mean[:-1]) @ weight + mean[-1]
    return answers


def ridge(context: Path, query: Path, _: int) -> Array:
    """scikit-learn's ridge, with all rows in memory."""
    import pandas as pd  # noqa: PLC0415  (the others do not load it)
    from sklearn.linear_model import Ridge  # noqa: PLC0415

    observed, queries = pd.read_parquet(context), pd.read_parquet(query)
    x = observed.drop(columns=TARGET)
    answers: Array = Ridge().fit(x, observed[TARGET]).predict(queries[x.columns])
    return answers


def sgd(context: Path, query: Path, rows: int) -> Array:
    """scikit-learn's stochastic descent: one pass to standardise all columns, y included, and one to learn."""
    from sklearn.linear_model import SGDRegressor  # noqa: PLC0415  (as in `ridge`)
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    scaler, model = StandardScaler(), SGDRegressor(random_state=0)
    for chunk in chunks(context, rows):
        scaler.partial_fit(chunk)
    for chunk in map(scaler.transform, chunks(context, rows)):
        model.partial_fit(chunk[:, :-1], chunk[:, -1])
    queries = scaler.transform(np.concatenate(list(chunks(query, rows))))[:, :-1]
    answers: Array = model.predict(queries) * scaler.scale_[-1] + scaler.mean_[-1]
    return answers


def chunks(path: Path, rows: int) -> Iterator[Array]:
    """Read a file of x and y as `gdssm predict` does."""
    with open_table(path, path.name) as table:
        for chunk in table.chunks(table.columns):
            for part in chunk.parts(rows):
                yield np.column_stack([part.cells[name].values for name in table.columns])


OURS, CONTROL = "gdssm predict", "numpy, one pass"
PEERS: dict[str, Method] = {CONTROL: one_pass, "Ridge": ridge, "SGDRegressor": sgd}
ALL = (OURS, *PEERS)


def command(name: str, context: Path, query: Path, out: Path, rows: int) -> list[str]:
    """Return the arguments of Python that start a method."""
    files = [str(path) for path in (context, query)]
    if name == OURS:
        return ["-m", "service", "predict", *files, "--target", TARGET, "--model", "linear", "--out", str(out)]
    return ["-m", "benchmarks.bulk_methods", name, *files, str(out), str(rows)]


if __name__ == "__main__":
    _, method, *paths, at_once = sys.argv
    observed, queries, written = map(Path, paths)
    parquet.write_table(pa.table({TARGET: PEERS[method](observed, queries, int(at_once))}), written)
