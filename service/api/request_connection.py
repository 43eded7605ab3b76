"""uvicorn's HTTP connection, which ignores offers to upgrade to another protocol and refuses ambiguous heads."""

from collections.abc import Mapping

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.api.request import headers_of
from service.errors import MalformedBody, ServiceError, UnsupportedContentType

UPGRADE_HEADERS = frozenset({b"upgrade", b"http2-settings"})
"""Headers, and tokens of the header Connection, of an upgrade to another protocol."""


SINGLE_HEADERS = (
    b"host",
    b"authorization",
    b"origin",
    b"sec-fetch-site",
    b"content-type",
    b"idempotency-key",
    b"inference-header-content-length",
)
"""Headers that a request has at most once: of two, a proxy may check one and the service the other."""


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
        headers = headers_of(self.scope)  # type: ignore[arg-type]  # the app's scope, which keeps them
        common = len(headers) == len(self.headers) and b"host" in headers and self.url[:1] == b"/"
        self._error = None if common and b"transfer-encoding" not in headers else self._head_problem(headers)
        if self._error is not None:
            raise self._error  # the parser's caller then calls send_400_response
        if self.parser.should_upgrade() and not self._should_upgrade() and self._get_upgrade() is not None:
            self._upgrade_ignored = True
            return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request, unless its head has to be parsed again."""
        if not self._upgrade_ignored:
            super().on_message_complete()

    def _head_problem(self, headers: Mapping[bytes, bytes]) -> ServiceError | None:
        """Find what the service and a proxy in front of it could take differently (RFC 9112, 3.2 and 6.1)."""
        if len(headers) < len(self.headers):
            names = [name for name, _ in self.headers]
            for name in SINGLE_HEADERS:
                if names.count(name) > 1:
                    title = name.decode().title()
                    return MalformedBody(f"A request has one header {title}; this one has several. Send one.")
        host = headers.get(b"host")
        if host is None and self.parser.get_http_version() != "1.0":
            return MalformedBody("A request has a header Host; this one has none. Send it.")
        if not self.url.startswith(b"/") and (authority := _authority(self.url)) not in (None, (host or b"").lower()):
            named = authority.decode("latin-1")[:100]
            return MalformedBody(
                f"The target names the host {named!r}, and the header Host another one. Send the same."
            )
        coding = headers.get(b"transfer-encoding", b"chunked").strip().lower()
        if coding != b"chunked":
            text = f"The body must not be compressed; this is {coding.decode('latin-1')!r} (Transfer-Encoding)."
            return UnsupportedContentType(f"{text} Send it uncompressed.")
        return None

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


def _authority(target: bytes) -> bytes | None:
    """Return host and port of a target in absolute form, in lower case; None for another one."""
    scheme, separator, rest = target.lower().partition(b"://")
    if not separator or scheme not in {b"http", b"https"}:
        return None
    return rest.partition(b"/")[0].partition(b"?")[0]


def _without_upgrade(connection: bytes) -> bytes:
    tokens = (token.strip() for token in connection.split(b","))
    return b", ".join(token for token in tokens if token.lower() not in UPGRADE_HEADERS)
