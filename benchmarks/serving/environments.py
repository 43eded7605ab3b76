"""An environment of its own for each peer: made by the benchmark, kept for the next run, skipped where it cannot be."""

import hashlib
import subprocess
import sys
import venv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from benchmarks.serving.contestants import Contestant

CACHE = Path(__file__).parents[2] / ".bench"
"""Not in git; `make clean` removes it."""
PATIENCE = 300
"""Seconds for one installation."""
AT_ONCE = 2
"""Installations side by side: pip is busy with unpacking and compiling, on one core."""


class NotInstalled(Exception):
    """A peer cannot be installed here; the message says why."""


def installed(others: Sequence[Contestant], skipped: dict[str, str], cache: Path = CACHE) -> list[Contestant]:
    """Give everyone the environment that they need; who cannot have it is skipped."""

    def one(contestant: Contestant) -> Contestant | None:
        assert contestant.requirements is not None  # noqa: S101
        try:
            return replace(contestant, python=environment(contestant.requirements, cache))
        except NotInstalled as error:
            skipped[contestant.name] = str(error)
            print(f"{contestant.name} is skipped: {error}", flush=True)
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [contestant for contestant in pool.map(one, others) if contestant]


def environment(requirements: Path, cache: Path = CACHE) -> Path:
    """Find or make the environment of some requirements.

    Args:
        requirements: A file of exact versions; another content is another environment.
        cache: Where environments are kept.

    Returns:
        Its Python.

    Raises:
        NotInstalled: pip refused.
    """
    content = requirements.read_bytes() + sys.version.encode()
    directory = cache / f"{requirements.parent.name}-{hashlib.sha256(content).hexdigest()[:12]}"
    ready = directory / "ready"
    if not ready.exists():
        print(f"installing {requirements.parent.name} …", flush=True)
        install(created(directory), "--no-deps", "--requirement", str(requirements))
        ready.touch()
    return directory / "bin" / "python"


def created(directory: Path) -> Path:
    """Make an empty environment, without a pip of its own; returns its Python."""
    venv.create(directory, clear=True)
    return directory / "bin" / "python"


def install(python: Path, *what: str) -> None:
    """Install into an environment with our own pip, which is newer than the one that comes with Python, and faster.

    Raises:
        NotInstalled: pip refused.
    """
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *what]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)  # noqa: S603
    except subprocess.CalledProcessError as error:
        reason = [line for line in error.stderr.splitlines() if line.startswith("ERROR")] or [error.stderr[-300:]]
        raise NotInstalled(f"pip: {reason[-1]}") from error
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"pip took more than {PATIENCE} seconds") from error
