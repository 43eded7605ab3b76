"""An answer of 200 that is ready to be sent."""

from fastapi import Response


class Ready(Response):
    """Starlette's response, without working out the general case of its headers.

    Args:
        content: The whole of it.
        media_type: What that is.
    """

    def __init__(self, content: bytes, media_type: str) -> None:
        self.status_code, self.background, self.body = 200, None, content
        self.raw_headers = [(b"content-length", b"%d" % len(content)), (b"content-type", media_type.encode())]
