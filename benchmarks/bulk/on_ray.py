"""Contexts of Parquet files on a Ray cluster: plain tasks, and Ray Data with the same splits.

`gdssm contexts build` learns rows of four float64 columns and a target in eight files with the model `linear`: in one
process, in two, and on a loopback cluster of one node or two, with one processor each. The cluster is running, and Ray
Data was used on it; each command connects, starts workers, learns and ends. For Ray Data each split is a block of a
dataset that `map` learns, with and without `preserve_order`. Each context is compared with that of one process. A
result is out of order if that of a later split came before it. Memory is the peak of the largest worker. The files are
in the cache of the system.
"""

import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bulk.files import FILES, INPUTS, TARGET, power, write
from benchmarks.bulk.ray_engines import DATA, ENGINES, ORDERED, TASKS, Notes
from benchmarks.results import Goal, Result, Table
from tests.ray_cluster import PYTHON, RayCluster, ray_cluster
from tests.running import ROOT

QUICK, SIZES = (20_000, 80_000), (10**6, 10**7, 10**8)
REPEATS, LARGE = 3, 10**8
"""Each way is measured so many times; from a number of rows on once, and not on one node."""
PROCESSORS = (1, 2)
"""Processes without Ray, and nodes of the cluster."""
ADDED, RATIO, SLOPE, MEMORY_SLOPE, MEGABYTES = 6.0, 1.05, 1.05, 0.05, 500
"""Goals: seconds, a ratio of times, powers of N, megabytes."""


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
            program = ["benchmarks.bulk.ray_engines", engine, notes]
            learnt = self.build(program, ["--ray", cluster.address], cluster.environment)
            return Learnt(learnt.seconds, learnt.equal, Notes.read(Path(notes)))


@contextmanager
def files_of(rows: int) -> Iterator[Files]:
    """Write files; they are removed after use."""
    with TemporaryDirectory() as directory:
        write(Path(directory), rows)
        (Path(directory) / "one.parquet").unlink()
        yield Files(Path(directory))


def measure(rows: int, nodes: Sequence[int], repeats: int) -> dict[str, Learnt]:
    """Measure every way, by its name."""
    if not PYTHON.exists():
        raise SystemExit(f"{PYTHON} is missing: make .venv-engines/ready, or set ENGINES_PYTHON")
    found = dict[str, Learnt]()
    with files_of(rows) as files:
        for count in PROCESSORS:
            found[in_processes(count)] = _least(files.build_locally(count) for _ in range(repeats))
        for count in nodes:
            with ray_cluster(nodes=count, processors=1) as cluster:
                _start_actor(cluster)
                for engine in ENGINES:
                    found[on_nodes(engine, count)] = _least(files.build_on(cluster, engine) for _ in range(repeats))
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


def _least(found: Iterable[Learnt]) -> Learnt:
    """Take the least time, the largest memory and the worst order."""
    every = [*found]
    notes = [one.notes for one in every if one.notes is not None]
    worst = notes and Notes(*(max(values) for values in zip(*notes, strict=True)))
    return Learnt(min(one.seconds for one in every), all(one.equal for one in every), worst or None)


def run(*, quick: bool) -> Result:
    """Measure and report."""
    if quick:
        return result({rows: measure(rows, PROCESSORS, 1) for rows in QUICK})
    small = {rows: measure(rows, PROCESSORS, REPEATS) for rows in SIZES if rows < LARGE}
    return result(small | {rows: measure(rows, PROCESSORS[-1:], 1) for rows in SIZES if rows >= LARGE})


def result(found: Mapping[int, Mapping[str, Learnt]]) -> Result:
    """Report times by number of rows and way."""
    rows = [
        [f"{size:,}", way, *_shown(learnt, ways[in_processes(1)])]
        for size, ways in found.items()
        for way, learnt in ways.items()
    ]
    header = ["rows", "way", "time", "÷ 1 process", "largest worker", "out of order", "bytes of 1 process"]
    table = Table(f"{INPUTS} columns and a target in {FILES} Parquet files", header, rows)
    numbers = {str(size): {way: _numbers(learnt) for way, learnt in ways.items()} for size, ways in found.items()}
    return Result("Contexts of many files on Ray", __doc__ or "", [table], list(_goals(found)), numbers)


def _numbers(learnt: Learnt) -> dict[str, object]:
    return {**asdict(learnt), "notes": learnt.notes and learnt.notes._asdict()}


def _shown(learnt: Learnt, one: Learnt) -> list[str]:
    shown = [f"{learnt.seconds:.1f} s", f"{learnt.seconds / one.seconds:.2f}"]
    if learnt.notes is None:
        shown += ["", ""]
    else:
        shown += [f"{learnt.notes.megabytes:.0f} MB", f"{learnt.notes.out_of_order} of {learnt.notes.results}"]
    return [*shown, "yes" if learnt.equal else "no"]


def _goals(found: Mapping[int, Mapping[str, Learnt]]) -> Iterator[Goal]:
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
    yield Goal(f"time from {middle:,} rows on, power of N", f"≤ {SLOPE}", f"{growth:.2f}", growth <= SLOPE)
    yield from _goals_of_memory(small, found[small][on_nodes(TASKS, 2)], sizes[-1], last)
    equal = all(learnt.equal for ways in found.values() for learnt in ways.values())
    yield Goal("contexts of the bytes of one process", "all", "all" if equal else "not all", equal)


def _goals_of_memory(small: int, first: Learnt, large: int, last: Learnt) -> Iterator[Goal]:
    if first.notes is None or last.notes is None:
        return
    growth = power(small, first.notes.megabytes, large, last.notes.megabytes)
    peak = max(first.notes.megabytes, last.notes.megabytes)
    yield Goal("memory of a worker, power of N", f"≤ {MEMORY_SLOPE}", f"{growth:.3f}", growth <= MEMORY_SLOPE)
    yield Goal("memory of a worker", f"< {MEGABYTES} MB", f"{peak:.0f} MB", peak < MEGABYTES)
