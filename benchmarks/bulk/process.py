"""ProcessCost of a process, measured by a small process that starts it: peak memory includes that of the parent."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass


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
    command = [sys.executable, "-m", "benchmarks.bulk.process", *arguments]
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


if __name__ == "__main__":
    print(json.dumps(asdict(_run(sys.argv[1:]))))
