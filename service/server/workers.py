"""Several processes that do the same: started together, replaced when they die, stopped together."""

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
"""Seconds before a process is replaced that died before it was ready, after one good start;"""
MAX_RESTART_DELAY = 30.0
"""twice as long each time, up to this, until one is ready again."""


class Workers:
    """The parent of some processes; its first signal to stop goes on to them, its second ends them at once.

    Args:
        work: What each of them does. It can be pickled, sends anything when it is ready, and returns some time after a
            SIGTERM.
        on_ready: Called once, when all of them are ready.
        on_dead: Told the id of each process that is gone.
    """

    def __init__(
        self, work: Callable[[Connection], None], on_ready: Callable[[], None], on_dead: Callable[[int], None]
    ) -> None:
        self._work = work
        self._on_ready = on_ready
        self._on_dead = on_dead
        self._context = multiprocessing.get_context("spawn")
        self._processes: dict[int, SpawnProcess] = {}
        """By sentinel."""
        self._starting: dict[Connection, SpawnProcess] = {}
        """Those that have not said yet that they are ready."""
        self._stopping = False
        self._ran = False
        """Whether all of them were ready once."""
        self._pause = RESTART_DELAY
        self._due: list[float] = []
        """When processes are started in place of others, on the clock of `time.monotonic`."""

    def run(self, count: int) -> None:
        """Work with so many processes until told to stop.

        Raises:
            NotReady: One of them died before it was ready and before all once were: so would the next.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for _ in range(count):
            self._start()
        hopeless = False
        while self._processes or self._due:
            for awaited in wait([*self._processes, *self._starting], self._until_due()):
                if isinstance(awaited, Connection):
                    self._hear(awaited)
                elif isinstance(awaited, int):
                    hopeless |= self._bury(self._processes.pop(awaited))
            self._start_what_is_due()
        if hopeless:
            raise NotReady("A worker ended before it was ready; the log says why.")

    def _start(self) -> None:
        ear, mouth = self._context.Pipe(duplex=False)
        process = self._context.Process(target=self._work, args=(mouth,))
        process.start()
        mouth.close()
        self._processes[process.sentinel] = process
        self._starting[ear] = process
        if self._stopping:  # the signal came while this one was on its way
            process.terminate()

    def _until_due(self) -> float | None:
        """Seconds to wait for processes; not long at a time, for a signal to stop ends no waiting."""
        return min(max(0.0, min(self._due) - time.monotonic()), RESTART_DELAY) if self._due else None

    def _start_what_is_due(self) -> None:
        now = time.monotonic()
        due = [moment for moment in self._due if moment <= now or self._stopping]
        for moment in due:
            self._due.remove(moment)
            if not self._stopping:
                self._start()

    def _hear(self, ear: Connection) -> None:
        process = self._starting.get(ear)
        try:
            if process is None or not ear.recv():
                return
        except EOFError:
            return  # it dies; its sentinel will say so, or has just said so
        del self._starting[ear]
        ear.close()
        logger.info("worker %s is ready", process.pid)
        self._pause = RESTART_DELAY
        if not self._starting and not self._stopping and not self._ran:
            self._ran = True
            self._on_ready()

    def _bury(self, process: SpawnProcess) -> bool:
        """Replace a process, unless all are to stop; tells whether there is no hope that one starts."""
        process.join()
        self._on_dead(process.pid or 0)
        young = process in self._starting.values()
        self._starting = {ear: other for ear, other in self._starting.items() if other is not process}
        if self._stopping:
            return False
        logger.error("worker %s ended with code %s", process.pid, process.exitcode)
        if not young:
            self._start()
        elif self._ran:
            self._due.append(time.monotonic() + self._pause)
            self._pause = min(2 * self._pause, MAX_RESTART_DELAY)
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
