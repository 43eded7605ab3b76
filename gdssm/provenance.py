"""Machine, date and commit of a measured time or number."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch

CPUINFO = Path("/proc/cpuinfo")
LIBRARIES = ("torch", "numpy", "matplotlib")


def provenance() -> dict[str, str | int]:
    """Return date, commit, processor and versions."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit() or "unknown",
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "threads": torch.get_num_threads(),
        "software": f"Python {platform.python_version()}, {libraries}",
    }


def commit() -> str:
    """Return the commit, with "-dirty" if the code differs from it; empty outside a checkout."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return done.stdout.strip()


def _processor() -> str:
    if CPUINFO.exists():
        for line in CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
