"""uvicorn's WebSocket connection, which logs no error for a refused handshake."""

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class WebSocketConnection(WebSocketsSansIOProtocol):
    """Treats a handshake as complete when the app has sent an HTTP response instead; uvicorn would log an error."""

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message of the app."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True
