"""What has expired is removed while the service runs; that it is expired shows at once, wherever it is looked up."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from service.contexts.contexts import Contexts
from service.errors import DatabaseUnavailable

logger = logging.getLogger(__name__)

PERIOD = 60.0
"""Seconds between two sweeps."""


@asynccontextmanager
async def sweeping(contexts: Contexts) -> AsyncIterator[None]:
    """Remove expired contexts and receipts every minute until it is left, beside the pool for requests."""
    task = asyncio.create_task(_sweep(contexts))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _sweep(contexts: Contexts) -> None:
    while True:
        await asyncio.sleep(PERIOD)
        try:
            removed = await asyncio.to_thread(contexts.sweep)
        except DatabaseUnavailable:  # it is in the log; the next time may do better
            continue
        if removed:
            logger.info("removed %d expired contexts", removed)
