"""The live stream of a context, for asyncio; `streams` is generated from this module."""

import json
import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from gdssm_client.attempts import BACKOFF_FACTOR, RETRY_WAIT_LIMIT
from gdssm_client.decoding import decoder
from gdssm_client.errors import BY_STATUS, ClientError, Refused, Unavailable, Unreachable
from gdssm_client.schemas import StreamAnswer
from gdssm_client.sessions import ConnectionSettings

BROKEN = (OSError, EOFError, WebSocketException)
"""Exceptions of a connection that broke, or that could not be opened."""
TEMPORARY = {"database_unavailable", "overloaded", "not_ready"}
"""Errors after which a message is sent again."""
TEMPORARY_STATUSES = {429, 502, 503, 504}
"""Statuses of handshakes after which another one is tried."""
STATUSES = {"unknown_context": 404, "unknown_model": 404, "conflict": 409, **dict.fromkeys(TEMPORARY, 503)}
"""HTTP statuses of the errors of messages; of others 422."""
decode_answer = decoder(StreamAnswer)


class AsyncStream:
    """Sends one message at a time; after a break it connects again and sends the message again, which counts once.

    Args:
        connection: To the service.
        path: Of the stream.
    """

    def __init__(self, connection: ConnectionSettings, path: str) -> None:
        self._arguments = connection.websocket(path)
        self._retries = connection.retries
        self._socket: ClientConnection | None = None
        self._opening: Any = None
        """The context manager of the connection."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.close()

    async def send(self, message: Mapping[str, object]) -> StreamAnswer:
        """Send a message and wait for its answer.

        Args:
            message: `observation`, `query` or `row`, and options, as in the messages of the WebSocket. A caller that
                may itself be killed gives every observation another `idempotency_key`; else one is made.

        Raises:
            Unreachable: The service cannot be reached, after all retries.
            Refused: The message, or the connection, is refused; the context has not changed.
        """
        text = json.dumps({"idempotency_key": secrets.token_hex(16), **message}, default=_plain)
        for attempt in range(self._retries + 1):
            try:
                return _read(await self._exchange(text))
            except BROKEN as error:
                await self.close()
                failure = _failure(error)
                if _is_final(failure) or attempt == self._retries:
                    raise failure from error
            except Unavailable:
                if attempt == self._retries:
                    raise
            await anyio.sleep(min(BACKOFF_FACTOR * 2**attempt, RETRY_WAIT_LIMIT))
        raise AssertionError

    async def close(self) -> None:
        """Close the connection; the next message opens another one."""
        socket, self._socket = self._socket, None
        if socket is not None:
            await self._opening.__aexit__(None, None, None)

    async def _exchange(self, text: str) -> str | bytes:
        if self._socket is None:
            opening = connect(**self._arguments)
            self._socket, self._opening = await opening.__aenter__(), opening
        await self._socket.send(text)
        return await self._socket.recv()


def _read(text: str | bytes) -> StreamAnswer:
    """Read an answer, or raise the error that it is."""
    answer: dict[str, Any] = json.loads(text)
    error_type = answer.get("error_type")
    if error_type is None:
        found: StreamAnswer = decode_answer(answer)
        return found
    status = STATUSES.get(error_type, 422)
    raise BY_STATUS.get(status, Unavailable)(answer["error"], status, error_type, answer["detail"])


def _failure(error: Exception) -> ClientError:
    """Make the exception for a broken connection or a refused handshake."""
    if not isinstance(error, InvalidStatus):
        return Unreachable(f"The stream broke: {str(error) or type(error).__name__}.")
    status = error.response.status_code
    try:
        body: dict[str, Any] = json.loads(error.response.body or b"")
    except ValueError:
        body = {}
    kind = BY_STATUS.get(status, Unavailable if status >= 500 else Refused)
    text = body.get("error") or f"The handshake of the stream was answered with {status}."
    return kind(text, status, body.get("error_type", ""), body.get("detail"))


def _is_final(failure: ClientError) -> bool:
    return isinstance(failure, Refused) and failure.status not in TEMPORARY_STATUSES


def _plain(value: Any) -> object:  # noqa: ANN401  (arrays and numbers of numpy)
    return value.tolist()
