"""Contexts of many Parquet files, and predictions for them: time, memory and slopes, with one process and with two.

Rows of four float64 columns and a target lie in eight files. `gdssm contexts build` learns them with the model
`linear`; the control is `gdssm predict` on one file of the same rows with a single row to predict, in one process. Both
start, learn and end. Then `gdssm predict` predicts all rows from the context, one output for each file. Memory is the
peak of the largest process of a command. The files are in the cache of the system.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.bulk.process import ProcessCost, cost
from benchmarks.results import Goal, Result, Table

INPUTS, FILES, GROUP = 4, 8, 250_000
"""Columns, files, and rows of a row group."""
TARGET = "y"
CONTROL, LEARN, PREDICT = "one file, gdssm predict", "contexts build", "predict"
QUICK, SIZES = (20_000, 80_000), (10**6, 10**7, 10**8)
PREDICTED = 10**7
"""Rows of the largest size for which predictions are measured."""
STARTS = "Each process starts for about a second, which counts at 10,000,000 rows and no longer at 100,000,000."
OVERHEAD, TWO, SLOPE, MEMORY_SLOPE, MEGABYTES = 1.15, 0.65, 0.1, 0.05, 400


@dataclass(frozen=True)
class Measured:
    """The costs for one number of rows."""

    gigabytes: float
    costs: Mapping[str, ProcessCost]
    """By command, followed by the number of processes."""


def write(folder: Path, rows: int) -> Path:
    """Write rows to files of a directory, and the same rows to one file that is not in it."""
    data = folder / "data"
    data.mkdir()
    generator = np.random.default_rng(0)
    names = [*(f"x{place}" for place in range(INPUTS)), TARGET]
    schema = pa.schema([(name, pa.float64()) for name in names])
    with parquet.ParquetWriter(folder / "one.parquet", schema) as one:
        for number in range(FILES):
            with parquet.ParquetWriter(data / f"{number}.parquet", schema) as file:
                for start in range(0, rows // FILES, GROUP):
                    size = min(GROUP, rows // FILES - start)
                    x = generator.standard_normal((INPUTS, size))
                    y = x.sum(0) + generator.standard_normal(size)
                    batch = pa.table([*map(pa.array, x), pa.array(y)], schema=schema)
                    file.write_table(batch)
                    one.write_table(batch)
    parquet.write_table(pa.table({f"x{place}": [0.0] for place in range(INPUTS)}), folder / "query.parquet")
    return data


def measure(rows: int, processes: Sequence[int], repeats: int) -> Measured:
    """Measure every command, the least time of some repeats."""
    with TemporaryDirectory() as directory:
        folder = Path(directory)
        data, context = write(folder, rows), folder / "context.safetensors"
        gigabytes = sum(file.stat().st_size for file in data.iterdir()) / 1e9
        one = [str(folder / name) for name in ("one.parquet", "query.parquet")]
        options = ["--target", TARGET, "--model", "linear", "--quiet", "--out"]
        commands = {f"{CONTROL}, 1": ["predict", *one, *options, str(folder / "answer.csv")]}
        for count in processes:
            command = ["contexts", "build", str(data), *options, str(context), "--processes", str(count)]
            commands[f"{LEARN}, {count}"] = command
        if rows <= PREDICTED:
            for count in processes:
                command = ["predict", str(context), str(data), "--quiet", "--out", f"{folder}/out{count}/"]
                commands[f"{PREDICT}, {count}"] = [*command, "--processes", str(count)]
        costs: dict[str, list[ProcessCost]] = {name: [] for name in commands}
        for _ in range(repeats):
            for name, command in commands.items():
                costs[name].append(cost(["-m", "service", *command]))
        return Measured(gigabytes, {name: _least(found) for name, found in costs.items()})


def _least(costs: Sequence[ProcessCost]) -> ProcessCost:
    return ProcessCost(
        min(one.seconds for one in costs),
        min(one.processor_seconds for one in costs),
        max(one.megabytes for one in costs),
    )


def run(*, quick: bool) -> Result:
    """Measure and report."""
    sizes, processes, repeats = (QUICK, (1,), 1) if quick else (SIZES, (1, 2), 2)
    return result({rows: measure(rows, processes, repeats if rows < 10**8 else 1) for rows in sizes})


def result(found: Mapping[int, Measured]) -> Result:
    """Report costs by number of rows."""
    rows = [
        [f"{size:,}", f"{one.gigabytes:.2f} GB", name, *_shown(each)]
        for size, one in found.items()
        for name, each in one.costs.items()
    ]
    header = ["rows", "files", "command, processes", "time", "processor time", "largest process"]
    table = Table(f"{INPUTS} columns and a target in {FILES} Parquet files", header, rows)
    numbers = {str(size): {name: vars(each) for name, each in one.costs.items()} for size, one in found.items()}
    title = "Contexts of many files"
    return Result(title, __doc__ or "", [table], list(_goals(found)), numbers)


def _shown(found: ProcessCost) -> tuple[str, str, str]:
    return f"{found.seconds:.1f} s", f"{found.processor_seconds:.1f} s", f"{found.megabytes:.0f} MB"


def _goals(found: Mapping[int, Measured]) -> list[Goal]:
    sizes = sorted(found)
    middle, first, last = found[sizes[1]].costs, found[sizes[0]].costs, found[sizes[-1]].costs
    learn = f"{LEARN}, 1"
    overhead = middle[learn].seconds / middle[f"{CONTROL}, 1"].seconds
    slope = power(sizes[1], middle[learn].processor_seconds, sizes[-1], last[learn].processor_seconds)
    memory = power(sizes[0], first[learn].megabytes, sizes[-1], last[learn].megabytes)
    peak = max(each.megabytes for one in found.values() for name, each in one.costs.items() if CONTROL not in name)
    goals = [
        Goal(f"{sizes[1]:,} rows: time ÷ one file's", f"≤ {OVERHEAD}", f"{overhead:.2f}", overhead <= OVERHEAD),
        Goal("memory of a process, power of N", f"≤ {MEMORY_SLOPE}", f"{memory:.3f}", memory <= MEMORY_SLOPE),
        Goal("memory of a process", f"< {MEGABYTES} MB", f"{peak:.0f} MB", peak < MEGABYTES),
    ]
    if len(sizes) > 2:
        met = abs(slope - 1) <= SLOPE
        measure = f"time from {sizes[1]:,} rows on, power of N"
        goals.append(Goal(measure, f"1 ± {SLOPE}", f"{slope:.2f}", met, STARTS))
    return [*goals, *(goal for size in sizes[1:] for goal in _speedups(size, found[size].costs))]


def _speedups(rows: int, costs: Mapping[str, ProcessCost]) -> Iterator[Goal]:
    for name in (LEARN, PREDICT):
        if f"{name}, 2" in costs:
            share = costs[f"{name}, 2"].seconds / costs[f"{name}, 1"].seconds
            measure = f"{name}, {rows:,} rows: two processes ÷ one"
            yield Goal(measure, f"≤ {TWO}", f"{share:.2f}", share <= TWO, STARTS)


def power(small: int, before: float, large: int, after: float) -> float:
    """Return the power of the size with which something grows."""
    return float(np.log(after / before) / np.log(large / small)) if large > small else 0.0
