"""The state of the shutdown of a process."""

import asyncio

from service.errors import NotReady


class Stopping:
    """The steps of a shutdown: no longer ready, then WebSockets are closed, while requests in flight finish."""

    def __init__(self) -> None:
        self.begun = False
        """Whether a signal to stop has arrived."""
        self.streams = asyncio.Event()
        """Set when WebSockets are to be closed."""

    def check(self) -> None:
        """Check that the service is not stopping.

        Raises:
            NotReady: It is stopping.
        """
        if self.begun:
            raise NotReady("The service is stopping. Send the request to another one, or try again in a moment.")
