"""Several worker processes: started together, replaced when they end, stopped together."""

import logging
import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType

from service.errors import NotReady

logger = logging.getLogger(__name__)

RESTART_DELAY = 0.5
"""Seconds before a process is replaced that ended before it was ready; doubled with each further one until one is
ready."""
MAX_RESTART_DELAY = 30.0


class Workers:
    """The parent of the workers; the first signal to stop terminates them, the second kills them.

    Args:
        work: The function of each worker. It can be pickled, sends a value when it is ready, and returns after SIGTERM.
        on_ready: Called once, when all workers are ready.
        on_exit: Called with the id of each process that has ended.
    """

    def __init__(
        self, work: Callable[[Connection], None], on_ready: Callable[[], None], on_exit: Callable[[int], None]
    ) -> None:
        self._work = work
        self._on_ready = on_ready
        self._on_exit = on_exit
        self._context = multiprocessing.get_context("spawn")
        self._processes: dict[int, SpawnProcess] = {}
        """By sentinel."""
        self._starting: dict[Connection, SpawnProcess] = {}
        """Workers that are not ready yet, by the pipe that they report on."""
        self._stopping = False
        self._all_ready = False
        """Whether all workers have been ready at the same time."""
        self._restart_delay = RESTART_DELAY
        self._restart_times: list[float] = []
        """Of replacements, on the clock of `time.monotonic`."""

    def run(self, count: int) -> None:
        """Run workers until a signal to stop.

        Raises:
            NotReady: A worker ended before it was ready, and before all have been ready; a replacement would too.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for _ in range(count):
            self._start()
        failed = False
        while self._processes or self._restart_times:
            for ready in wait([*self._processes, *self._starting], self._wait_timeout()):
                if isinstance(ready, Connection):
                    self._handle_message(ready)
                elif isinstance(ready, int):
                    failed |= self._handle_exit(self._processes.pop(ready))
            self._start_replacements()
        if failed:
            raise NotReady("A worker ended before it was ready; the log says why.")

    def _start(self) -> None:
        reader, writer = self._context.Pipe(duplex=False)
        process = self._context.Process(target=self._work, args=(writer,))
        process.start()
        writer.close()
        self._processes[process.sentinel] = process
        self._starting[reader] = process
        if self._stopping:  # a signal arrived during `process.start`
            process.terminate()

    def _wait_timeout(self) -> float | None:
        """Return the seconds until the next replacement; short, because a signal does not interrupt the wait."""
        if not self._restart_times:
            return None
        return min(max(0.0, min(self._restart_times) - time.monotonic()), RESTART_DELAY)

    def _start_replacements(self) -> None:
        now = time.monotonic()
        due = [moment for moment in self._restart_times if moment <= now or self._stopping]
        for moment in due:
            self._restart_times.remove(moment)
            if not self._stopping:
                self._start()

    def _handle_message(self, reader: Connection) -> None:
        """Mark a worker as ready."""
        process = self._starting.get(reader)
        try:
            if process is None or not reader.recv():
                return
        except EOFError:
            return  # the worker is ending, which its sentinel reports
        del self._starting[reader]
        reader.close()
        logger.info("worker %s is ready", process.pid)
        self._restart_delay = RESTART_DELAY
        if not self._starting and not self._stopping and not self._all_ready:
            self._all_ready = True
            self._on_ready()

    def _handle_exit(self, process: SpawnProcess) -> bool:
        """Replace a process that has ended, unless all are stopping; returns whether the workers cannot start."""
        process.join()
        self._on_exit(process.pid or 0)
        was_starting = process in self._starting.values()
        self._starting = {reader: other for reader, other in self._starting.items() if other is not process}
        if self._stopping:
            return False
        logger.error("worker %s ended with code %s", process.pid, process.exitcode)
        if not was_starting:
            self._start()
        elif self._all_ready:
            self._restart_times.append(time.monotonic() + self._restart_delay)
            self._restart_delay = min(2 * self._restart_delay, MAX_RESTART_DELAY)
        else:
            self._stop(signal.SIGTERM, None)
            return True
        return False

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        again, self._stopping = self._stopping, True
        for process in self._processes.values():
            if again:
                process.kill()
            else:
                process.terminate()
        if again:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
