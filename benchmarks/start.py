"""How soon a server answers, how much memory it then holds, and how much disk its installation takes."""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.results import parse_out, write
from benchmarks.serving.contestants import FASTAPI, OTHERS, OURS, ROOT, Contestant
from benchmarks.serving.environments import CACHE, created, install, installed
from benchmarks.serving.load import SERVER_CORE
from benchmarks.serving.processes import family, resident
from benchmarks.serving.servers import Disqualified, started
from benchmarks.table import markdown, verdict

REPEATS = 3
MODEL = "gd-1"
CONTROL = FASTAPI[0].name
PINNED = ("taskset", "--cpu-list", str(SERVER_CORE))
GOALS = (
    ("start", "seconds", 1.0, "s"),
    ("memory with the zoo loaded", "memory", 150.0, "MB"),
    ("base install, what its wheels hold", "wheels", 200.0, "MB"),
    ("base install on disk, with what is compiled of it", "disk", 200.0, "MB"),
)
MEGA = 1e6
HOW = """From the start of the process until it has answered a prediction rightly; resident memory of all its processes
then, shared pages counted in each of them; what pip installed, pip itself not: the sizes of the files in the wheels,
and the blocks on disk with the bytecode that pip compiles beside them. Ours is installed with `pip install .`, started
from there, and has the whole zoo loaded; the others have one model. Medians of {} starts in turn, on one core, with the
least and the most; and the ratio to the start of {} in the same round."""
START = "service.server.serving"
"""What has to be imported before ours can begin."""
COMPILED = "__pycache__"
"""Where Python keeps bytecode."""
BROUGHT = {"pip", "setuptools", "pkg_resources", "_distutils_hack"}
"""What every environment begins with."""
MOST = 8
"""How many packages are told of."""


@dataclass(frozen=True)
class Start:
    """What one contestant takes."""

    name: str
    seconds: tuple[float, ...]
    """Of each round."""
    memory: float
    """MB, the median."""
    processes: int
    wheels: float | None
    """MB of files; None if it has no environment of its own."""
    disk: float | None
    """MB on disk, compiled files included; likewise."""


def main(out: Path, repeats: int = REPEATS) -> None:
    """Measure, and leave the results."""
    skipped: dict[str, str] = {}
    ours = replace(OURS, python=base_install())
    everyone = [ours, FASTAPI[0], *installed(OTHERS, skipped)]
    found = measure(everyone, repeats, skipped)
    shares = {
        "seconds": _largest(imports(ours.python, START)),
        "wheels": _largest(packages(ours.python, held)),
        "disk": _largest(packages(ours.python, disk)),
    }
    numbers = {"starts": [asdict(start) for start in found], "shares": shares, "skipped": skipped}
    write(out, "start", numbers, section(found, shares, skipped, repeats))


def base_install(cache: Path = CACHE) -> Path:
    """Install the service as its users do, anew; returns its Python."""
    python = created(cache / "base")
    install(python, "--constraint", str(ROOT / "constraints.txt"), str(ROOT))
    return python


def measure(everyone: Sequence[Contestant], repeats: int, skipped: dict[str, str]) -> list[Start]:
    """Start everybody in turn, some times."""
    times: dict[str, list[tuple[float, float, int]]] = {contestant.name: [] for contestant in everyone}
    for _ in range(repeats):
        for contestant in everyone:
            try:
                with started(contestant, MODEL, PINNED, _way(contestant)) as server:
                    leader = server.process.pid
                    times[contestant.name].append((server.seconds, resident(leader) / MEGA, len(family(leader))))
            except Disqualified as error:
                skipped[contestant.name] = str(error)
    return [_start(contestant, times[contestant.name]) for contestant in everyone if times[contestant.name]]


def _start(contestant: Contestant, times: Sequence[tuple[float, float, int]]) -> Start:
    seconds, memory, processes = zip(*times, strict=True)
    sizes = _own(contestant, held), _own(contestant, disk)
    return Start(contestant.name, seconds, median(memory), round(median(processes)), *sizes)


def _way(contestant: Contestant) -> Mapping[str, str]:
    """Let ours be found where it is installed, compiled as it is for its users, and not in this checkout."""
    return {"PYTHONPATH": ""} if contestant.name == OURS.name else {}


def section(
    found: Sequence[Start], shares: Mapping[str, Mapping[str, float]], skipped: Mapping[str, str], repeats: int
) -> str:
    """Write the section; ours is the first."""
    ours = {**asdict(found[0]), "seconds": median(found[0].seconds)}
    verdicts = [
        [name, f"< {bound:g} {unit}", f"{ours[field]:.3g} {unit}", verdict(ours[field] < bound)]
        for name, field, bound, unit in GOALS
    ]
    return "\n".join(
        [
            f"## Start and size\n\n{HOW.format(repeats, CONTROL)}\n",
            markdown(["goal", "bound", "measured", ""], verdicts),
            markdown(["", "start", f"of {CONTROL}'s", "memory", "processes", "wheels", "disk"], _rows(found)),
            f"Of our start, the imports that take most: {_most(shares['seconds'], 's')}.\n",
            f"Of our wheels: {_most(shares['wheels'], 'MB')}.\n",
            f"Of our disk: {_most(shares['disk'], 'MB')}.\n",
            *(f"{name} did not take part: {reason}\n" for name, reason in skipped.items()),
        ]
    )


def imports(python: Path, module: str) -> dict[str, float]:
    """Add up the seconds that importing an installed module takes, by package; nothing is collected, as in a start."""
    command = [str(python), "-I", "-X", "importtime", "-c", f"import gc; gc.disable(); import {module}"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr  # noqa: S603
    found: dict[str, float] = {}
    for line in told.splitlines()[1:]:
        own, _, name = line.removeprefix("import time:").split("|")
        package = name.strip().partition(".")[0]
        found[package] = found.get(package, 0.0) + float(own) / 1e6
    return found


def packages(python: Path, weigh: Callable[[Path], int]) -> dict[str, float]:
    """Weigh what is installed, by package, in MB."""
    site = next(python.parents[1].glob("lib/python*/site-packages"))
    named = {path.name: path for path in site.iterdir() if path.name.partition("-")[0] not in BROUGHT}
    return {name: weigh(path) / MEGA for name, path in named.items()}


def held(path: Path) -> int:
    """Add up the sizes of all files under a path, in bytes, without what is compiled of them."""
    files = (file for file in (path, *path.rglob("*")) if COMPILED not in file.parts)
    return sum(file.lstat().st_size for file in files if file.is_file())


def disk(path: Path) -> int:
    """Add up the bytes of all blocks under a path, directories included."""
    files = [path, *path.rglob("*")]
    return sum(file.lstat().st_blocks for file in files) * 512


def _largest(shares: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(shares.items(), key=lambda share: -share[1])[:MOST])


def _own(contestant: Contestant, weigh: Callable[[Path], int]) -> float | None:
    has_own = contestant.requirements is not None or contestant.name == OURS.name
    return sum(packages(contestant.python, weigh).values()) if has_own else None


def _rows(found: Sequence[Start]) -> Iterator[list[str]]:
    control = next((start.seconds for start in found if start.name == CONTROL), ())
    for start in found:
        sizes = ["" if size is None else f"{size:.0f} MB" for size in (start.wheels, start.disk)]
        seconds = f"{median(start.seconds):.2f} s ({min(start.seconds):.2f}–{max(start.seconds):.2f})"
        rounds = [one / other for one, other in zip(start.seconds, control, strict=False)]
        ratio = f"{median(rounds):.2f}" if rounds else ""
        yield [start.name, seconds, ratio, f"{start.memory:.0f} MB", f"{start.processes}", *sizes]


def _most(shares: Mapping[str, float], unit: str) -> str:
    return ", ".join(f"{name} {value:.2g} {unit}" for name, value in shares.items())


if __name__ == "__main__":
    main(parse_out(__doc__))
