"""Time until a server answers, its resident memory then, and the disk that its installation takes.

Time from the start of the process to its first correct prediction; resident memory of all its processes then, shared
pages counted in each; installed packages without pip: the sizes of the files in the wheels, and the blocks on disk with
the bytecode that pip compiles. Ours is installed with `pip install .`, started from there, and has all models loaded;
the others have one model. Medians of {} starts in turn, on one core, with the least and the most; and the ratio to the
start of {} in the same round.
"""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.processes import family, resident
from benchmarks.results import Goal, Result, Table
from benchmarks.serving.servers import PINNED, Disqualified, started
from benchmarks.serving.specs import CACHE, FASTAPI, MODEL, OTHERS, OURS, ROOT, ServerSpec, created, install, installed

REPEATS = 3
CONTROL = FASTAPI[0].name
TARGETS = (
    ("start", "seconds", 1.0, "s", "Most of it is importing: SQLAlchemy, our modules and schemas, FastAPI, numpy."),
    ("memory with all models loaded", "memory", 150.0, "MB", ""),
    ("base install, files of its wheels", "wheels", 200.0, "MB", ""),
    ("base install on disk, with bytecode", "disk", 200.0, "MB", "Most of it is onnxruntime, numpy and SQLAlchemy."),
)
MEGA = 1e6
SERVER_MODULE = "service.server.serving"
"""Imported before our server starts."""
BYTECODE = "__pycache__"
PREINSTALLED = {"pip", "setuptools", "pkg_resources", "_distutils_hack"}
"""Packages of every new environment."""
MAX_PACKAGES = 8
"""Packages in a list of the largest."""


@dataclass(frozen=True)
class Start:
    """The costs of one server."""

    name: str
    seconds: tuple[float, ...]
    """Of each round."""
    memory: float
    """MB, the median."""
    processes: int
    wheels: float | None
    """MB of files; None if it has no separate environment."""
    disk: float | None
    """MB on disk, compiled files included; None if it has no separate environment."""


def run(*, quick: bool) -> Result:
    """Measure and report; a quick run starts only ours and the control."""
    skipped: dict[str, str] = {}
    ours = replace(OURS, python=base_install())
    others = [] if quick else installed(OTHERS, skipped)
    repeats = 1 if quick else REPEATS
    found = measure([ours, FASTAPI[0], *others], repeats, skipped)
    shares = {
        "seconds": _largest(imports(ours.python, SERVER_MODULE)),
        "wheels": _largest(packages(ours.python, file_bytes)),
        "disk": _largest(packages(ours.python, disk_bytes)),
    }
    return report(found, shares, skipped, repeats)


def base_install(cache: Path = CACHE) -> Path:
    """Install the service into an empty environment as its users do; returns its Python."""
    python = created(cache / "base")
    install(python, "--constraint", str(ROOT / "constraints.txt"), str(ROOT))
    return python


def measure(specs: Sequence[ServerSpec], repeats: int, skipped: dict[str, str]) -> list[Start]:
    """Start all servers in turn, some times."""
    times: dict[str, list[tuple[float, float, int]]] = {spec.name: [] for spec in specs}
    for _ in range(repeats):
        for spec in specs:
            try:
                with started(spec, MODEL, PINNED, _environment(spec)) as server:
                    leader = server.process.pid
                    times[spec.name].append((server.seconds, resident(leader) / MEGA, len(family(leader))))
            except Disqualified as error:
                skipped[spec.name] = str(error)
    return [_start(spec, times[spec.name]) for spec in specs if times[spec.name]]


def _start(spec: ServerSpec, times: Sequence[tuple[float, float, int]]) -> Start:
    seconds, memory, processes = zip(*times, strict=True)
    sizes = _own(spec, file_bytes), _own(spec, disk_bytes)
    return Start(spec.name, seconds, median(memory), round(median(processes)), *sizes)


def _environment(spec: ServerSpec) -> Mapping[str, str]:
    """Import ours from its installation, with the bytecode that users have, and not from this checkout."""
    return {"PYTHONPATH": ""} if spec.name == OURS.name else {}


def report(
    found: Sequence[Start], shares: Mapping[str, Mapping[str, float]], skipped: Mapping[str, str], repeats: int
) -> Result:
    """Lay out the measurements; ours is the first."""
    ours = {**asdict(found[0]), "seconds": median(found[0].seconds)}
    goals = [
        Goal(name, f"< {target:g} {unit}", f"{ours[field]:.3g} {unit}", ours[field] < target, reason)
        for name, field, target, unit, reason in TARGETS
    ]
    largest = [
        [title, ", ".join(f"{name} {value:.2g} {unit}" for name, value in shares[field].items())]
        for title, field, unit in (("imports", "seconds", "s"), ("wheels", "wheels", "MB"), ("disk", "disk", "MB"))
    ]
    tables = [
        Table("", ["", "start", f"÷ {CONTROL}", "memory", "processes", "wheels", "disk"], list(_rows(found))),
        Table("The largest parts of ours:", ["", "packages"], largest),
    ]
    if skipped:
        tables.append(Table("", ["not measured", "reason"], [[name, reason] for name, reason in skipped.items()]))
    return Result(
        title="Start and size",
        method=(__doc__ or "").format(repeats, CONTROL),
        tables=tables,
        goals=goals,
        numbers={"starts": [asdict(start) for start in found], "shares": shares, "skipped": skipped},
    )


def imports(python: Path, module: str) -> dict[str, float]:
    """Add up the seconds of importing an installed module by package, without garbage collection, as in our server."""
    command = [str(python), "-I", "-X", "importtime", "-c", f"import gc; gc.disable(); import {module}"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stderr  # noqa: S603
    found: dict[str, float] = {}
    for line in output.splitlines()[1:]:
        own, _, name = line.removeprefix("import time:").split("|")
        package = name.strip().partition(".")[0]
        found[package] = found.get(package, 0.0) + float(own) / 1e6
    return found


def packages(python: Path, size_of: Callable[[Path], int]) -> dict[str, float]:
    """Return the size of each installed package in MB."""
    site = next(python.parents[1].glob("lib/python*/site-packages"))
    named = {path.name: path for path in site.iterdir() if path.name.partition("-")[0] not in PREINSTALLED}
    return {name: size_of(path) / MEGA for name, path in named.items()}


def file_bytes(path: Path) -> int:
    """Add up the sizes of all files under a path, without bytecode."""
    files = (file for file in (path, *path.rglob("*")) if BYTECODE not in file.parts)
    return sum(file.lstat().st_size for file in files if file.is_file())


def disk_bytes(path: Path) -> int:
    """Add up the blocks of all files and directories under a path, in bytes."""
    files = [path, *path.rglob("*")]
    return sum(file.lstat().st_blocks for file in files) * 512


def _largest(shares: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(shares.items(), key=lambda share: -share[1])[:MAX_PACKAGES])


def _own(spec: ServerSpec, size_of: Callable[[Path], int]) -> float | None:
    has_own = spec.requirements is not None or spec.name == OURS.name
    return sum(packages(spec.python, size_of).values()) if has_own else None


def _rows(found: Sequence[Start]) -> Iterator[list[str]]:
    control = next((start.seconds for start in found if start.name == CONTROL), ())
    for start in found:
        sizes = ["" if size is None else f"{size:.0f} MB" for size in (start.wheels, start.disk)]
        seconds = f"{median(start.seconds):.2f} s ({min(start.seconds):.2f}–{max(start.seconds):.2f})"
        rounds = [one / other for one, other in zip(start.seconds, control, strict=False)]
        ratio = f"{median(rounds):.2f}" if rounds else ""
        yield [start.name, seconds, ratio, f"{start.memory:.0f} MB", f"{start.processes}", *sizes]
