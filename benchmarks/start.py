"""How soon a server answers, how much memory it then holds, and how much disk its installation takes."""

import shutil
import subprocess
import venv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.results import parse_out, write
from benchmarks.serving.contestants import FASTAPI, OTHERS, OURS, ROOT, Contestant
from benchmarks.serving.environments import CACHE, installed
from benchmarks.serving.load import SERVER_CORE
from benchmarks.serving.processes import family, resident
from benchmarks.serving.servers import Disqualified, started
from benchmarks.table import markdown

REPEATS = 2
MODEL = "gd-1"
GOALS = (
    ("start", "seconds", 1.0, "s"),
    ("memory with the zoo loaded", "memory", 150.0, "MB"),
    ("base install on disk", "disk", 200.0, "MB"),
)
MEGA = 1e6
HOW = """From the start of the process until it has answered a prediction rightly; resident memory of all its processes
then, shared pages counted in each of them; disk of what pip installed, compiled files included, pip itself not. Ours
is installed with `pip install .` and has the whole zoo loaded; the others have one model. Medians of {} starts in
turn, on one core."""


BROUGHT = {"pip", "setuptools", "pkg_resources", "_distutils_hack"}
"""What every environment begins with."""
MOST = 8
"""How many packages are told of."""


@dataclass(frozen=True)
class Start:
    """What one contestant takes; medians of its starts."""

    name: str
    seconds: float
    memory: float
    """MB."""
    processes: int
    disk: float | None
    """MB; None if it has no environment of its own."""


def main(out: Path, repeats: int = REPEATS) -> None:
    """Measure, and leave the results."""
    skipped: dict[str, str] = {}
    ours = replace(OURS, python=base_install())
    everyone = [ours, FASTAPI[0], *installed(OTHERS, skipped)]
    found = measure(everyone, repeats, skipped)
    shares = {"seconds": imports(ours.python), "disk": _largest(packages(ours.python))}
    numbers = {"starts": [asdict(start) for start in found], "shares": shares, "skipped": skipped}
    write(out, "start", numbers, section(found, shares, skipped, repeats))


def base_install(cache: Path = CACHE) -> Path:
    """Install the service as its users do, anew; returns its Python."""
    directory = cache / "base"
    shutil.rmtree(directory, ignore_errors=True)
    venv.create(directory, with_pip=True)
    python = directory / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "--constraint", "constraints.txt", "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603
    return python


def measure(everyone: Sequence[Contestant], repeats: int, skipped: dict[str, str]) -> list[Start]:
    """Start everybody in turn, some times."""
    times: dict[str, list[tuple[float, float, int]]] = {contestant.name: [] for contestant in everyone}
    for _ in range(repeats):
        for contestant in everyone:
            try:
                with started(contestant, MODEL, ("taskset", "--cpu-list", str(SERVER_CORE))) as server:
                    leader = server.process.pid
                    times[contestant.name].append((server.seconds, resident(leader) / MEGA, len(family(leader))))
            except Disqualified as error:
                skipped[contestant.name] = str(error)
    return [_start(contestant, times[contestant.name]) for contestant in everyone if times[contestant.name]]


def _start(contestant: Contestant, times: Sequence[tuple[float, float, int]]) -> Start:
    seconds, memory, processes = (median(column) for column in zip(*times, strict=True))
    return Start(contestant.name, seconds, memory, round(processes), _own_disk(contestant))


def section(
    found: Sequence[Start], shares: Mapping[str, Mapping[str, float]], skipped: Mapping[str, str], repeats: int
) -> str:
    """Write the section; ours is the first."""
    ours = asdict(found[0])
    verdicts = [
        [name, f"< {bound:g} {unit}", f"{ours[field]:.3g} {unit}", "met" if ours[field] < bound else "**not met**"]
        for name, field, bound, unit in GOALS
    ]
    return "\n".join(
        [
            f"## Start and size\n\n{HOW.format(repeats)}\n",
            markdown(["goal", "bound", "measured", ""], verdicts),
            markdown(["", "start", "memory", "processes", "disk"], [_row(start) for start in found]),
            f"Of our start, the imports that take most: {_most(shares['seconds'], 's')}.\n",
            f"Of our disk, the packages that take most: {_most(shares['disk'], 'MB')}.\n",
            *(f"{name} did not take part: {reason}\n" for name, reason in skipped.items()),
        ]
    )


def imports(python: Path) -> dict[str, float]:
    """Add up the seconds that importing the service takes, by package."""
    command = [str(python), "-X", "importtime", "-c", "import service.running.serving"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stderr  # noqa: S603
    found: dict[str, float] = {}
    for line in told.splitlines()[1:]:
        own, _, name = line.removeprefix("import time:").split("|")
        package = name.strip().partition(".")[0]
        found[package] = found.get(package, 0.0) + float(own) / 1e6
    return _largest(found)


def packages(python: Path) -> dict[str, float]:
    """Weigh what is installed, by package, in MB."""
    site = next(python.parents[1].glob("lib/python*/site-packages"))
    named = {path.name: path for path in site.iterdir() if path.name.partition("-")[0] not in BROUGHT}
    return {name: disk(path) / MEGA for name, path in named.items()}


def disk(path: Path) -> int:
    """Add up the bytes of all blocks under a path."""
    files = [path, *path.rglob("*")]
    return sum(file.lstat().st_blocks for file in files) * 512


def _largest(shares: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(shares.items(), key=lambda share: -share[1])[:MOST])


def _own_disk(contestant: Contestant) -> float | None:
    has_own = contestant.requirements is not None or contestant.name == OURS.name
    return sum(packages(contestant.python).values()) if has_own else None


def _row(start: Start) -> list[str]:
    size = "" if start.disk is None else f"{start.disk:.0f} MB"
    return [start.name, f"{start.seconds:.2f} s", f"{start.memory:.0f} MB", f"{start.processes}", size]


def _most(shares: Mapping[str, float], unit: str) -> str:
    return ", ".join(f"{name} {value:.2g} {unit}" for name, value in shares.items())


if __name__ == "__main__":
    main(parse_out(__doc__))
