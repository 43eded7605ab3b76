"""Requests as clients of other servers send them: offers of another protocol are passed over, two Hosts refused."""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import MalformedBody, ServiceError

OF_UPGRADES = frozenset({b"upgrade", b"http2-settings"})
"""Headers, and tokens of the header Connection, that belong to an offer of another protocol."""


class RequestConnection(HttpToolsProtocol):
    """Reads requests; an offer to go on in another protocol than WebSocket is ignored (RFC 9110, 7.8).

    The parser takes what follows such an offer for the other protocol. So the head is read a second time, without the
    offer, and the body after it. The HttpClient of Java and `curl --http2` offer HTTP/2 (h2c) in every request.
    """

    _fault: ServiceError | None = None
    _offers = False
    """Whether the head that was read last offers another protocol."""

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse_unreadable()
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade(data, upgrade.args[0])

    def on_headers_complete(self) -> None:
        """Take a head, unless it has to be read a second time."""
        self._offers = False
        # Only where a name is there twice is it looked for which.
        if len(dict(self.headers)) < len(self.headers) and [name for name, _ in self.headers].count(b"host") > 1:
            self._fault = MalformedBody("A request has one header Host; this one has several. Send one.")
            raise self._fault  # out of the parser, and into send_400_response
        if self.parser.should_upgrade() and not self._should_upgrade() and self._get_upgrade() is not None:
            self._offers = True
            return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request."""
        if not self._offers:
            super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return super()._should_upgrade() and self.parser.get_method() == b"GET"

    def _upgrade(self, data: bytes, read: int) -> None:
        """Go on after a head that offers another protocol, to whose end so many bytes of the data go."""
        while self._offers:
            data = self._head_without_offer() + data[read:]
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserError:
                self._refuse_unreadable()
            except httptools.HttpParserUpgrade as upgrade:  # another request, behind this one
                read = upgrade.args[0]
                continue
            return
        if self._should_upgrade():
            self.handle_websocket_upgrade()

    def _refuse_unreadable(self) -> None:
        message = "Invalid HTTP request received."
        self.logger.warning(message)
        self.send_400_response(message)

    def _head_without_offer(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            kept = _without_offer(value) if name == b"connection" else value
            if name not in OF_UPGRADES and (kept or name != b"connection"):
                lines.append(name + b": " + kept)
        return b"\r\n".join([*lines, b"", b""])


def _without_offer(connection: bytes) -> bytes:
    tokens = (token.strip() for token in connection.split(b","))
    return b", ".join(token for token in tokens if token.lower() not in OF_UPGRADES)
