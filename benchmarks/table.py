"""Results as Markdown, with where and when they were measured."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

NOT_MET = "**not met**"


def verdict(met: bool | None) -> str:
    """Say whether a goal is met; None is one that nothing was measured of."""
    return {True: "met", False: NOT_MET, None: "not measured"}[met]


def short(value: float) -> str:
    """Write three digits of a number."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def hardware() -> str:
    """Name the processor, its cores and the day."""
    models = [line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    name = models[0] if models else platform.processor()
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
