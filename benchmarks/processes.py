"""Costs of processes: of one from its start to its end, and of one that runs, from /proc.

The cost of a process is measured by a small process that starts it, `python -m benchmarks.processes`: peak memory
includes that of the parent.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PARENT, SESSION, USER, SYSTEM, RESIDENT = 1, 3, 11, 12, 21
"""Positions in /proc/PID/stat, counted from the state."""


@dataclass(frozen=True)
class ProcessCost:
    """Of a process from its start to its end."""

    seconds: float
    processor_seconds: float
    """Of all its threads."""
    megabytes: float
    """Peak resident memory."""


def cost(arguments: Sequence[str]) -> ProcessCost:
    """Run Python with some arguments, one thread for its arithmetic, and return its cost.

    Raises:
        subprocess.CalledProcessError: It failed; its standard error is shown.
    """
    command = [sys.executable, "-m", "benchmarks.processes", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment, text=True)  # noqa: S603
    return ProcessCost(**json.loads(done.stdout))


def _run(arguments: Sequence[str]) -> ProcessCost:
    start = time.perf_counter()
    child = os.posix_spawn(sys.executable, [sys.executable, *arguments], os.environ)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(os.waitstatus_to_exitcode(status))
    return ProcessCost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


def family(leader: int) -> list[int]:
    """Return a process, every process of its session, and their descendants, which may have started new sessions."""
    stats = {int(path.name): stat(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    found = {process for process, fields in stats.items() if fields and leader in {process, int(fields[SESSION])}}
    while more := {p for p, fields in stats.items() if fields and int(fields[PARENT]) in found} - found:
        found |= more
    return sorted(found)


def cpu_seconds(leader: int) -> float:
    """Add up the processor time of a process and its family so far, user's and kernel's, in seconds."""
    return sum(int(fields[USER]) + int(fields[SYSTEM]) for fields in map(stat, family(leader)) if fields) * TICK


def resident(leader: int) -> int:
    """Add up the resident memory of a process and its family, in bytes; shared pages count in each of them."""
    return sum(int(fields[RESIDENT]) for fields in map(stat, family(leader)) if fields) * PAGE


def stat(process: int) -> list[str]:
    """Read /proc/PID/stat from the state on; empty if the process is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def kilobytes(field: str) -> int:
    """Read a figure of the memory of this process: VmRSS, resident now, or VmHWM, its peak; without its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


if __name__ == "__main__":
    print(json.dumps(asdict(_run(sys.argv[1:]))))
