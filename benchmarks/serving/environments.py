"""A separate environment for each peer, made by the benchmark and kept for the next run; and programs of the system."""

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from benchmarks.serving.specs import ServerSpec

CACHE = Path(__file__).parents[2] / ".bench"
"""Not in git; `make clean` removes it."""
INSTALL_TIMEOUT = 300
"""Seconds."""
PARALLEL_INSTALLATIONS = 2
"""pip unpacks and compiles on one core."""


class NotInstalled(Exception):
    """A peer cannot be installed here; the message says why."""


def installed(peers: Sequence[ServerSpec], skipped: dict[str, str], cache: Path = CACHE) -> list[ServerSpec]:
    """Install the environment of each peer; a peer whose installation fails is skipped."""

    def one(spec: ServerSpec) -> ServerSpec | None:
        assert spec.requirements is not None  # noqa: S101
        try:
            return replace(spec, python=environment(spec.requirements, cache))
        except NotInstalled as error:
            skipped[spec.name] = str(error)
            print(f"{spec.name} is skipped: {error}", flush=True)
            return None

    with ThreadPoolExecutor(PARALLEL_INSTALLATIONS) as pool:
        return [spec for spec in pool.map(one, peers) if spec]


def environment(requirements: Path, cache: Path = CACHE) -> Path:
    """Find or make the environment of some requirements.

    Args:
        requirements: A file of exact versions; the environment depends on its content.
        cache: Directory of environments.

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
    """Make an empty environment without pip; returns its Python."""
    venv.create(directory, clear=True)
    return directory / "bin" / "python"


def install(python: Path, *arguments: str) -> None:
    """Install into an environment with the pip of this one.

    Raises:
        NotInstalled: pip refused.
    """
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *arguments]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT)  # noqa: S603
    except subprocess.CalledProcessError as error:
        reason = [line for line in error.stderr.splitlines() if line.startswith("ERROR")] or [error.stderr[-300:]]
        raise NotInstalled(f"pip: {reason[-1]}") from error
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"pip took more than {INSTALL_TIMEOUT} seconds") from error


def has_program(program: str) -> bool:
    """Return whether a program exists, after an attempt to install the Debian package of its name."""
    if not shutil.which(program) and shutil.which("apt-get"):
        for command in (["apt-get", "update"], ["apt-get", "install", "--yes", program]):
            subprocess.run(command, check=False, capture_output=True)  # noqa: S603
    return shutil.which(program) is not None
