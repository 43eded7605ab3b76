"""Contexts of many Parquet files, and predictions for them: time, memory and slopes, with one process and with two.

Rows of four float64 columns and a target lie in eight files. `gdssm contexts build` learns them with the model
`linear`; the control is `gdssm predict` on one file of the same rows with a single row to predict, in one process. Both
start, learn and end. Then `gdssm predict` predicts all rows from the context, one output for each file. Memory is the
peak of the largest process of a command. The files are in the cache of the system.
"""

import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.processes import ProcessCost, cost
from benchmarks.ray_engines import DATA, ENGINES, ORDERED, TASKS, Notes
from benchmarks.results import Goal, Result, Table
from tests.ray_cluster import PYTHON, RayCluster, ray_cluster
from tests.running import ROOT

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


RAY_METHOD = """Contexts of Parquet files on a Ray cluster: plain tasks, and Ray Data with the same splits.

`gdssm contexts build` learns rows of four float64 columns and a target in eight files with the model `linear`: in one
process, in two, and on a loopback cluster of one node or two, with one processor each. The cluster is running, and Ray
Data was used on it; each command connects, starts workers, learns and ends. For Ray Data each split is a block of a
dataset that `map` learns, with and without `preserve_order`. Each context is compared with that of one process. A
result is out of order if that of a later split came before it. Memory is the peak of the largest worker. The files are
in the cache of the system."""
RAY_REPEATS, LARGE = 3, 10**8
"""Each way is measured so many times; from a number of rows on once, and not on one node."""
PROCESSORS = (1, 2)
"""Processes without Ray, and nodes of the cluster."""
ADDED, RATIO, RAY_SLOPE, RAY_MEGABYTES = 6.0, 1.05, 1.05, 500
"""Goals: seconds, a ratio of times, a power of N, megabytes."""


@dataclass(frozen=True)
class Learnt:
    """A context that was built."""

    seconds: float
    equal: bool = True
    """Whether it has the bytes of that of one process."""
    notes: Notes | None = None
    """None without Ray."""


@dataclass(frozen=True)
class Files:
    """A directory with the files in `data`; contexts are written into it."""

    folder: Path

    def build(self, program: Sequence[str], options: Sequence[str], environment: Mapping[str, str]) -> Learnt:
        """Build a context with a program that takes the arguments of gdssm.

        Raises:
            subprocess.CalledProcessError: It failed; its standard error is shown.
        """
        first, context = self.folder / "first.safetensors", self.folder / "context.safetensors"
        command = [str(PYTHON), "-m", *program, "contexts", "build", str(self.folder / "data"), "--target", TARGET]
        command += ["--model", "linear", "--quiet", "--out", str(context), *options]
        start = time.perf_counter()
        subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
        seconds = time.perf_counter() - start
        if not first.exists():
            context.rename(first)
            return Learnt(seconds)
        return Learnt(seconds, context.read_bytes() == first.read_bytes())

    def build_locally(self, processes: int) -> Learnt:
        """Build a context without Ray."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        return self.build(["service"], ["--processes", str(processes)], environment)

    def build_on(self, cluster: RayCluster, engine: str) -> Learnt:
        """Build a context on a cluster."""
        with TemporaryDirectory() as notes:
            program = ["benchmarks.ray_engines", engine, notes]
            learnt = self.build(program, ["--ray", cluster.address], cluster.environment)
            return Learnt(learnt.seconds, learnt.equal, Notes.read(Path(notes)))


@contextmanager
def files_of(rows: int) -> Iterator[Files]:
    """Write files; they are removed after use."""
    with TemporaryDirectory() as directory:
        write(Path(directory), rows)
        (Path(directory) / "one.parquet").unlink()
        yield Files(Path(directory))


def measure_on_ray(rows: int, nodes: Sequence[int], repeats: int) -> dict[str, Learnt]:
    """Measure every way, by its name."""
    if not PYTHON.exists():
        raise SystemExit(f"{PYTHON} is missing: make .venv-engines/ready, or set ENGINES_PYTHON")
    found = dict[str, Learnt]()
    with files_of(rows) as files:
        for count in PROCESSORS:
            found[in_processes(count)] = _least_learnt(files.build_locally(count) for _ in range(repeats))
        for count in nodes:
            with ray_cluster(nodes=count, processors=1) as cluster:
                _start_actor(cluster)
                for engine in ENGINES:
                    found[on_nodes(engine, count)] = _least_learnt(
                        files.build_on(cluster, engine) for _ in range(repeats)
                    )
    return found


def _start_actor(cluster: RayCluster) -> None:
    """Use Ray Data once: the first use starts an actor, which stays."""
    with files_of(FILES) as files:
        files.build_on(cluster, DATA)


def in_processes(count: int) -> str:
    """Name a way without Ray."""
    return "1 process" if count == 1 else f"{count} processes"


def on_nodes(engine: str, nodes: int) -> str:
    """Name a way on Ray."""
    return f"{engine}, {nodes} {'node' if nodes == 1 else 'nodes'}"


def _least_learnt(found: Iterable[Learnt]) -> Learnt:
    """Take the least time, the largest memory and the worst order."""
    every = [*found]
    notes = [one.notes for one in every if one.notes is not None]
    worst = notes and Notes(*(max(values) for values in zip(*notes, strict=True)))
    return Learnt(min(one.seconds for one in every), all(one.equal for one in every), worst or None)


def ray(*, quick: bool) -> Result:
    """Measure and report."""
    if quick:
        return ray_result({rows: measure_on_ray(rows, PROCESSORS, 1) for rows in QUICK})
    small = {rows: measure_on_ray(rows, PROCESSORS, RAY_REPEATS) for rows in SIZES if rows < LARGE}
    return ray_result(small | {rows: measure_on_ray(rows, PROCESSORS[-1:], 1) for rows in SIZES if rows >= LARGE})


def ray_result(found: Mapping[int, Mapping[str, Learnt]]) -> Result:
    """Report times by number of rows and way."""
    rows = [
        [f"{size:,}", way, *_shown_learnt(learnt, ways[in_processes(1)])]
        for size, ways in found.items()
        for way, learnt in ways.items()
    ]
    header = ["rows", "way", "time", "÷ 1 process", "largest worker", "out of order", "bytes of 1 process"]
    table = Table(f"{INPUTS} columns and a target in {FILES} Parquet files", header, rows)
    numbers = {str(size): {way: _numbers(learnt) for way, learnt in ways.items()} for size, ways in found.items()}
    return Result("Contexts of many files on Ray", RAY_METHOD, [table], list(_ray_goals(found)), numbers)


def _numbers(learnt: Learnt) -> dict[str, object]:
    return {**asdict(learnt), "notes": learnt.notes and learnt.notes._asdict()}


def _shown_learnt(learnt: Learnt, one: Learnt) -> list[str]:
    shown = [f"{learnt.seconds:.1f} s", f"{learnt.seconds / one.seconds:.2f}"]
    if learnt.notes is None:
        shown += ["", ""]
    else:
        shown += [f"{learnt.notes.megabytes:.0f} MB", f"{learnt.notes.out_of_order} of {learnt.notes.results}"]
    return [*shown, "yes" if learnt.equal else "no"]


def _ray_goals(found: Mapping[int, Mapping[str, Learnt]]) -> Iterator[Goal]:
    small, middle, *_ = sizes = sorted(found)
    tasks, one = on_nodes(TASKS, 1), in_processes(1)
    added = found[middle][tasks].seconds - found[middle][one].seconds
    title = f"{middle:,} rows, plain tasks on one node: time more than one process"
    yield Goal(title, f"≤ {ADDED:.0f} s", f"{added:.1f} s", added <= ADDED)
    for size in sizes:
        ours, theirs = (found[size][on_nodes(engine, 2)].seconds for engine in (TASKS, ORDERED))
        title = f"{size:,} rows, two nodes: plain tasks ÷ Ray Data in order"
        yield Goal(title, f"≤ {RATIO}", f"{ours / theirs:.2f}", ours / theirs <= RATIO)
    first, last = (found[size][on_nodes(TASKS, 2)] for size in (middle, sizes[-1]))
    growth = power(middle, first.seconds, sizes[-1], last.seconds)
    yield Goal(f"time from {middle:,} rows on, power of N", f"≤ {RAY_SLOPE}", f"{growth:.2f}", growth <= RAY_SLOPE)
    yield from _goals_of_memory(small, found[small][on_nodes(TASKS, 2)], sizes[-1], last)
    equal = all(learnt.equal for ways in found.values() for learnt in ways.values())
    yield Goal("contexts of the bytes of one process", "all", "all" if equal else "not all", equal)


def _goals_of_memory(small: int, first: Learnt, large: int, last: Learnt) -> Iterator[Goal]:
    if first.notes is None or last.notes is None:
        return
    growth = power(small, first.notes.megabytes, large, last.notes.megabytes)
    peak = max(first.notes.megabytes, last.notes.megabytes)
    yield Goal("memory of a worker, power of N", f"≤ {MEMORY_SLOPE}", f"{growth:.3f}", growth <= MEMORY_SLOPE)
    yield Goal("memory of a worker", f"< {RAY_MEGABYTES} MB", f"{peak:.0f} MB", peak < RAY_MEGABYTES)
