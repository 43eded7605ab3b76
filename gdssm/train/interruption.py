"""SIGTERM and Ctrl-C end a run after the present step, with a checkpoint."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """A run was interrupted; its checkpoint is written.

    Args:
        step: Steps done.
        number: Of the signal.
    """

    def __init__(self, step: int, number: int) -> None:
        super().__init__(f"interrupted after step {step}; the checkpoint is written")
        self.step = step
        self.number = number


class Interruption:
    """The signal that has arrived, if any."""

    number: int | None = None

    def check(self, step: int) -> None:
        """Raise `Interrupted` if a signal has arrived."""
        if self.number is not None:
            raise Interrupted(step, self.number)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Note the first signal instead of ending the process; a second one has its usual effect.

    Only the main thread of a process can handle signals; in other threads no signal is noted.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, _frame: FrameType | None) -> None:
        interruption.number = number
        restore()

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield interruption
    finally:
        restore()
