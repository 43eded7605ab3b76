"""Periodic work while the service runs, in threads that are not those of requests."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from service.errors import DatabaseUnavailable

logger = logging.getLogger(__name__)


@asynccontextmanager
async def run_periodically(seconds: float, work: Callable[[], object]) -> AsyncIterator[None]:
    """Run a function until the context is left, with a pause of `seconds` between runs; errors are logged."""
    task = asyncio.create_task(_repeat(seconds, work))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _repeat(seconds: float, work: Callable[[], object]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await asyncio.to_thread(work)
        except DatabaseUnavailable:  # already logged
            continue
        except Exception:  # the next run may succeed
            logger.exception("periodic work failed")
