"""Where work runs: what is short in the event loop, what is long or waits for a database in a bounded pool."""

from collections.abc import Callable
from typing import TypeVar

from fastapi.concurrency import run_in_threadpool

Result = TypeVar("Result")


class Pool:
    """Runs functions so that the event loop is never held up."""

    async def run(self, function: Callable[[], Result], size: int | None = None) -> Result:
        """Run a function and return what it returns.

        Args:
            function: Pure computation, or a transaction.
            size: How many numbers or bytes it works on, if it only computes; None if it may wait for something.
        """
        del size
        return await run_in_threadpool(function)
