"""The engines that run the parts of a work: this process, several processes, or those of a cluster."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from types import TracebackType
from typing import Protocol, Self, TypeVar

from service.errors import WorkerLost

WAITING = 2
"""Tasks of each process that are submitted at a time."""


class Task(Protocol):
    """A part of the work: small, frozen, and picklable, because it may run on another machine."""

    @property
    def size(self) -> int:
        """Bytes of the input that it reads, for the progress and for engines that balance tasks."""


AnyTask = TypeVar("AnyTask", bound=Task)


class Engine(Protocol):
    """Runs a work for many tasks; it decides where and in which order, never the result."""

    def run(self, work: Callable[[AnyTask], bytes], tasks: Sequence[AnyTask]) -> Iterator[tuple[int, bytes]]:
        """Run a work for each task.

        Args:
            work: A picklable function without side effects that a second run would not repeat to the bit: an engine
                may run a task again after a failure.
            tasks: The arguments of the work, one at a time.

        Yields:
            The place of a task among the tasks, and its result, in any order; each task once.

        Raises:
            ServiceError: The work raised it for a task.
            WorkerLost: A process ended before its task.
        """


class LocalEngine:
    """Runs tasks in this process, or in several processes of this machine.

    Args:
        processes: How many; with 1 the tasks run in this process.
    """

    def __init__(self, processes: int = 1) -> None:
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def run(self, work: Callable[[AnyTask], bytes], tasks: Sequence[AnyTask]) -> Iterator[tuple[int, bytes]]:
        """Run a work for each task; see `Engine.run`."""
        if self._processes == 1 or len(tasks) == 1:
            for place, task in enumerate(tasks):
                yield place, work(task)
            return
        running = dict[Future[bytes], int]()
        try:
            for place, task in enumerate(tasks):
                running[self._processes_of().submit(work, task)] = place
                if len(running) >= WAITING * self._processes:
                    yield from _finished(running)
            while running:
                yield from _finished(running)
        except BrokenProcessPool as error:
            self._pool = None
            raise WorkerLost from error
        finally:
            for future in running:
                future.cancel()

    def _processes_of(self) -> ProcessPoolExecutor:
        """Return the processes, which stay for the next work."""
        if self._pool is None:
            # Threads of pyarrow and onnxruntime do not survive a fork.
            self._pool = ProcessPoolExecutor(self._processes, get_context("spawn"), _begin)
        return self._pool


def _finished(running: dict[Future[bytes], int]) -> Iterator[tuple[int, bytes]]:
    """Wait for at least one task, and remove those that are finished."""
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        yield running.pop(future), future.result()


def _begin() -> None:
    """Start a process: it ends with its parent, which alone is interrupted from the keyboard."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent was killed: it would wait for tasks without end."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
