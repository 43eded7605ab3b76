"""The models are kept up to date while the service runs.

By looking twice a second, not by the kernel's notices: those do not come from network file systems nor from mounts that
Kubernetes swaps, and what an administrator unloads is in the database, which sends none. A look is one `stat` a file.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from service.models.repository import Repository

logger = logging.getLogger(__name__)

PERIOD = 0.5
"""Seconds between two looks."""


@asynccontextmanager
async def watching(repository: Repository) -> AsyncIterator[None]:
    """Rescan a repository twice a second until it is left, off the event loop and beside the pool for requests."""
    task = asyncio.create_task(_watch(repository))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(repository: Repository) -> None:
    while True:
        await asyncio.sleep(PERIOD)
        try:
            await asyncio.to_thread(repository.rescan)
        except Exception:  # whatever it was, the next look may do better
            logger.exception("the models could not be looked at")
