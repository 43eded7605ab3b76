"""uvicorn's HTTP connection, which ignores offers to upgrade to another protocol and refuses a repeated Host."""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import MalformedBody, ServiceError

UPGRADE_HEADERS = frozenset({b"upgrade", b"http2-settings"})
"""Headers, and tokens of the header Connection, of an upgrade to another protocol."""


class RequestConnection(HttpToolsProtocol):
    """Parses requests; ignores upgrades to other protocols than WebSocket (RFC 9110, 7.8).

    The parser treats the bytes after such an upgrade as the other protocol. The head is therefore parsed a second time,
    without the upgrade, and then the body. Java's HttpClient and `curl --http2` offer HTTP/2 (h2c) in every request.
    """

    _error: ServiceError | None = None
    _upgrade_ignored = False
    """Whether the last head has an upgrade that is ignored."""

    def data_received(self, data: bytes) -> None:
        """Parse received bytes."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse_unreadable()
        except httptools.HttpParserUpgrade as upgrade:
            self._continue_after_upgrade(data, upgrade.args[0])

    def on_headers_complete(self) -> None:
        """Begin a request, unless its head has to be parsed again."""
        self._upgrade_ignored = False
        # The first condition, which is cheap, is true for any repeated header.
        if len(dict(self.headers)) < len(self.headers) and [name for name, _ in self.headers].count(b"host") > 1:
            self._error = MalformedBody("A request has one header Host; this one has several. Send one.")
            raise self._error  # the parser's caller then calls send_400_response
        if self.parser.should_upgrade() and not self._should_upgrade() and self._get_upgrade() is not None:
            self._upgrade_ignored = True
            return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request, unless its head has to be parsed again."""
        if not self._upgrade_ignored:
            super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return super()._should_upgrade() and self.parser.get_method() == b"GET"

    def _continue_after_upgrade(self, data: bytes, read: int) -> None:
        """Parse the head again without the upgrade, and the bytes of `data` after the first `read`, which follow it."""
        while self._upgrade_ignored:
            data = self._head_without_upgrade() + data[read:]
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # the same setting as uvicorn's
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserError:
                self._refuse_unreadable()
            except httptools.HttpParserUpgrade as upgrade:  # of a pipelined request
                read = upgrade.args[0]
                continue
            return
        if self._should_upgrade():
            self.handle_websocket_upgrade()

    def _refuse_unreadable(self) -> None:
        message = "Invalid HTTP request received."
        self.logger.warning(message)
        self.send_400_response(message)

    def _head_without_upgrade(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            kept = _without_upgrade(value) if name == b"connection" else value
            if name not in UPGRADE_HEADERS and (kept or name != b"connection"):
                lines.append(name + b": " + kept)
        return b"\r\n".join([*lines, b"", b""])


def _without_upgrade(connection: bytes) -> bytes:
    tokens = (token.strip() for token in connection.split(b","))
    return b", ".join(token for token in tokens if token.lower() not in UPGRADE_HEADERS)
