"""The time between the signal to stop and the end of the process."""

import asyncio

from service.errors import NotReady


class Stopping:
    """First the service says that it is no longer ready, then live connections end; what is in flight finishes."""

    def __init__(self) -> None:
        self.begun = False
        """Whether the signal has come."""
        self.streams = asyncio.Event()
        """Set when WebSockets are to end."""

    def check(self) -> None:
        """See that the service is here to stay.

        Raises:
            NotReady: It is stopping.
        """
        if self.begun:
            raise NotReady("The service is stopping. Send the request to another one, or try again in a moment.")
