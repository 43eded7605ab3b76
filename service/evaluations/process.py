"""The worker process of one evaluation, as the server sees it."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from service.evaluations.request import EvaluationRequest
from service.inference.artifact import Record

COMMAND = [sys.executable, "-P", "-m", "service.evaluations.worker"]
"""-P: a folder `service` in the working directory is another one."""
PACKAGES = Path(__file__).parents[2]
"""The directory of this package and of gdssm."""


class JobSpec(Record):
    """The job of a worker process, sent as JSON to its stdin."""

    request: EvaluationRequest
    directories: tuple[Path, ...]
    """Of the model files."""
    versions: dict[str, str]
    """Of the models, by name."""


class WorkerProcess:
    """A worker for one job; killed at the end of the context."""

    def __init__(self, spec: JobSpec) -> None:
        pipe = subprocess.PIPE
        # One thread of linear algebra: predictions need the other cores.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join([str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)  # noqa: S603  (our own command)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._errors = b""
        self._threads = [
            threading.Thread(target=self._exchange, args=[spec.model_dump_json().encode()], daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()

    def results(self, timeout: float) -> Iterator[str | None]:
        """Yield each result, and None after every `timeout` seconds without one; ends with the process."""
        while True:
            try:
                result = self._lines.get(timeout=timeout)
            except queue.Empty:
                yield None
                continue
            if result is None:
                return
            yield result

    def failure(self) -> str | None:
        """Wait for the end; returns the reason of a failure, or None."""
        if self._process.wait() == 0:
            return None
        self._threads[-1].join()
        last = self._errors.decode(errors="replace").strip().splitlines()[-1:]
        return f"The evaluation failed: {' '.join(last) or 'its process ended without a message.'}"

    def _exchange(self, spec: bytes) -> None:
        """Write the job, which the worker reads whole before it writes, and read the results."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018  (pipes)
        with suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(spec)
        with self._process.stdout as stdout:
            for line in stdout:
                self._lines.put(line.decode().strip())
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None  # noqa: S101  (a pipe)
        with self._process.stderr as stderr:
            self._errors = stderr.read()
