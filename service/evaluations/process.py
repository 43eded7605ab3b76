"""The process of one evaluation: its results as they come, and its end."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from service.artifact import Record
from service.evaluations.request import EvaluationRequest

COMMAND = [sys.executable, "-m", "service.evaluations.worker"]


class JobSpec(Record):
    """One evaluation for a worker process: sent as JSON on its standard input."""

    request: EvaluationRequest
    directories: tuple[Path, ...]
    """Of the model files."""
    versions: dict[str, str]
    """Of the models, by name."""


class Process:
    """A worker for one job; killed when the context is left."""

    def __init__(self, spec: JobSpec) -> None:
        pipe = subprocess.PIPE
        # One thread, however many cores: whoever is asked for predictions meanwhile needs the others.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)  # noqa: S603  (our own command)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._complaint = b""
        self._threads = [
            threading.Thread(target=self._tell, args=[spec.model_dump_json().encode()], daemon=True),
            threading.Thread(target=self._listen, daemon=True),
            threading.Thread(target=self._hear_complaints, daemon=True),
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

    def results(self, pulse: float) -> Iterator[str | None]:
        """Yield every result, and None whenever there was none for `pulse` seconds; ends with the process."""
        while True:
            try:
                result = self._lines.get(timeout=pulse)
            except queue.Empty:
                yield None
                continue
            if result is None:
                return
            yield result

    def failure(self) -> str | None:
        """Say why the process failed; None if it did not."""
        if self._process.wait() == 0:
            return None
        self._threads[-1].join()
        last = self._complaint.decode(errors="replace").strip().splitlines()[-1:]
        return f"The evaluation failed: {' '.join(last) or 'its process ended without a word.'}"

    def _tell(self, spec: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101  (a pipe)
        with self._process.stdin as stdin:
            stdin.write(spec)

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101  (a pipe)
        with self._process.stdout as stdout:
            for line in stdout:
                self._lines.put(line.decode().strip())
        self._lines.put(None)

    def _hear_complaints(self) -> None:
        assert self._process.stderr is not None  # noqa: S101  (a pipe)
        with self._process.stderr as stderr:
            self._complaint = stderr.read()
