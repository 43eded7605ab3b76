"""What is done again and again while the service runs, off the event loop and beside the pool for requests."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from service.errors import DatabaseUnavailable

logger = logging.getLogger(__name__)


@asynccontextmanager
async def every(seconds: float, work: Callable[[], object]) -> AsyncIterator[None]:
    """Do some work, with so many seconds between, until this is left; what fails is logged, and tried the next time."""
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
        except DatabaseUnavailable:  # it is in the log already
            continue
        except Exception:  # whatever it was, the next time may do better
            logger.exception("upkeep failed")
