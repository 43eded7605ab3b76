"""`gdssm predict` on a CSV file of ten million rows with two categories and gaps, compared with a scan by pyarrow.

The scan reads the file once, with the types that pyarrow infers, and does the arithmetic of `linear` on its blocks: the
sums of products of numbers with 0 in gaps, indicators of gaps, and levels. `gdssm predict` reads the file twice, for
the schema and to learn, and does not know the levels before. Both start, learn, answer the queries and end; one thread
for arithmetic; the file is in the cache of the system.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from benchmarks.processes import cost
from benchmarks.results import Goal, Result, Table
from service.inference.sizes import Array

NUMBERS, BLOCK = 5, 250_000
LEVELS = {"town": tuple(f"town {i}" for i in range(12)), "kind": tuple("abcde")}
GAPS, NOISE = 0.1, 1.0
TARGET = "y"
OURS, CONTROL = "gdssm predict", "pyarrow scan"
MODELS = ("linear", "nonlinear")
TARGET_RATIO, TARGET_MEGABYTES = 3.0, 400


def write(path: Path, rows: int, seed: int) -> None:
    """Write rows of numbers with gaps, a count, two categories and the target."""
    generator = np.random.default_rng(seed)
    with path.open("wb") as file:
        for start in range(0, rows, BLOCK):
            size = min(BLOCK, rows - start)
            x = generator.standard_normal((NUMBERS, size)).round(4)
            count, town, kind = (generator.integers(0, high, size) for high in (1000, 12, 5))
            y = 2 * x[0] - x[1] + 0.01 * count + town - kind + NOISE * generator.standard_normal(size)
            columns = {f"x{i}": pa.array(x[i], mask=generator.random(size) < GAPS) for i in range(NUMBERS)}
            columns["count"] = pa.array(count)
            for name, codes in (("town", town), ("kind", kind)):
                columns[name] = pa.array(LEVELS[name]).take(pa.array(codes))
            columns[TARGET] = pa.array(y.round(3))
            csv.write_csv(pa.table(columns), file, csv.WriteOptions(include_header=start == 0))


def scan(context: Path, query: Path) -> Array:
    """Answer by least squares on sums of one pass."""
    products = np.zeros((1, 1))
    for x, y in _blocks(context):
        rows = np.column_stack([np.ones(len(x)), x, y])
        products = products + rows.T @ rows
    weight = np.linalg.lstsq(products[:-1, :-1], products[:-1, -1])[0]
    answers: Array = np.concatenate([np.column_stack([np.ones(len(x)), x]) @ weight for x, _ in _blocks(query)])
    return answers


def _blocks(path: Path) -> Iterator[tuple[Array, Array]]:
    for batch in csv.open_csv(path):
        numbers = np.column_stack(
            [batch.column(f"x{i}").to_numpy(zero_copy_only=False) for i in range(NUMBERS)]
            + [batch.column("count").to_numpy(zero_copy_only=False).astype(float)]
        )
        gaps = np.isnan(numbers)
        levels = []
        for name, values in LEVELS.items():
            codes = pc.index_in(batch.column(name), value_set=pa.array(values)).to_numpy(zero_copy_only=False)
            levels.append(np.eye(len(values))[codes])
        x = np.column_stack([np.where(gaps, 0.0, numbers), gaps.astype(float), *levels])
        yield x, batch.column(TARGET).to_numpy(zero_copy_only=False)


def run(*, quick: bool) -> Result:
    """Measure and report."""
    rows, queries, repeats = (30_000, 1_000, 1) if quick else (10_000_000, 100_000, 2)
    with TemporaryDirectory() as directory:
        folder = Path(directory)
        context, query = folder / "context.csv", folder / "query.csv"
        write(context, rows, seed=0)
        write(query, queries, seed=1)
        ours = ["-m", "service", "predict", str(context), str(query), "--target", TARGET, "--quiet"]
        files = {f"{OURS} --model {model}": folder / f"{model}.csv" for model in MODELS} | {
            CONTROL: folder / "scan.csv"
        }
        commands = {
            name: [*ours, "--model", out.stem, "--out", str(out)]
            if name != CONTROL
            else ["-m", "benchmarks.mixed_csv", str(context), str(query), str(out)]
            for name, out in files.items()
        }
        costs = {name: [cost(command) for _ in range(repeats)] for name, command in commands.items()}
        y = csv.read_csv(query).column(TARGET).to_numpy()
        r2 = {
            name: 1 - float(((csv.read_csv(file).column(0).to_numpy() - y) ** 2).mean() / y.var())
            for name, file in files.items()
        }
        gigabytes = context.stat().st_size / 1e9
    least = {name: min(one.processor_seconds for one in found) for name, found in costs.items()}
    peak = {name: max(one.megabytes for one in found) for name, found in costs.items()}
    ratio = {name: least[name] / least[CONTROL] for name in costs}
    table = Table(
        f"{rows:,} rows, {gigabytes:.2f} GB; {queries:,} queries; the least of {repeats}",
        ["", "processor time", f"÷ {CONTROL}", "peak memory", "R²"],
        [
            [name, f"{least[name]:.1f} s", f"{ratio[name]:.2f}", f"{peak[name]:.0f} MB", f"{r2[name]:.4f}"]
            for name in costs
        ],
    )
    linear = next(iter(costs))
    goals = [
        Goal(
            "processor time, linear", f"≤ {TARGET_RATIO} scans", f"{ratio[linear]:.2f}", ratio[linear] <= TARGET_RATIO
        ),
        Goal(
            "memory",
            f"< {TARGET_MEGABYTES} MB",
            ", ".join(f"{peak[name]:.0f}" for name in costs),
            max(peak.values()) < TARGET_MEGABYTES,
        ),
    ]
    numbers = {"processor_seconds": least, "megabytes": peak, "r2": r2, "rows": rows}
    return Result("A CSV file with categories and gaps", __doc__ or "", [table], goals, numbers)


if __name__ == "__main__":
    known, asked, out = map(Path, sys.argv[1:])
    csv.write_csv(pa.table({TARGET: scan(known, asked)}), out)
