"""A Redis Stream as a source: positions are the ids of entries. Needs redis, the extra `gdssm[ingest]`."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import redis
from redis import exceptions

from service.errors import InvalidInput, Problem, SourceUnavailable
from service.ingest.payload import with_payload
from service.ingest.source import LogEntry

logger = logging.getLogger(__name__)

TIMEOUT = 10.0
"""Seconds to connect, and to answer a command."""
BYTES_LIMIT = 2**24
"""Bytes of entries from which on fewer are read at a time."""
LAST_ID = f"{2**64 - 1}-{2**64 - 1}"
"""No entry has a greater id."""
FIRST_COUNT = 16
"""Entries of the first read, whose size is not known yet."""


class RedisStream:
    """Entries of a Redis Stream, of Redis 6.2 or later; no consumer group is made.

    Args:
        client: A connection, which several streams may share.
        name: The key of the stream.
        payload: A field with a JSON object, whose members are further fields; None for none.
    """

    def __init__(self, client: "redis.Redis", name: str, payload: str | None = None) -> None:
        self.name = name
        self._client = client
        self._payload = payload
        self._count = FIRST_COUNT
        self._is_checked = False

    def read(self, after: str | None, count: int) -> list[LogEntry]:
        """Read the entries with greater ids; see `LogSource`. Large entries are read few at a time."""
        if after == LAST_ID:
            return []
        self._check_offset(after)
        first = "-" if after is None else f"({after}"
        with _in_words(self.name):
            found: Any = self._client.xrange(self.name, min=first, count=min(count, self._count))
        size = sum(len(key) + len(value) for _, fields in found for key, value in (fields or {}).items())
        self._count = max(1, self._count // 2) if size > BYTES_LIMIT else min(2 * self._count, 2**16)
        return [self._entry(position.decode(), fields or {}) for position, fields in found]

    def end(self) -> str | None:
        """Return the greatest id; see `LogSource`."""
        with _in_words(self.name):
            found: Any = self._client.xrevrange(self.name, count=1)
        return found[0][0].decode() if found else None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _check_offset(self, after: str | None) -> None:
        """Warn once if the stream ends before the offset: it was made again, or is another one of its name."""
        last = None if self._is_checked or after is None else self.end()
        self._is_checked = True
        if last is not None and after is not None and _number(last) < _number(after):
            logger.warning(
                "stream %s ends at %s, before the offset %s: only entries with greater ids are read. "
                "For another stream name another consumer.",
                *(self.name, last, after),
            )

    def _entry(self, position: str, fields: Mapping[bytes, bytes]) -> LogEntry:
        try:
            texts = {key.decode(): value.decode() for key, value in fields.items()}
        except UnicodeDecodeError:
            return LogEntry(position, {}, "is not UTF-8.")
        return LogEntry(position, texts) if self._payload is None else with_payload(position, texts, self._payload)


def _number(position: str) -> tuple[int, int]:
    time, _, sequence = position.partition("-")
    return int(time), int(sequence or 0)


def connect(url: str) -> "redis.Redis":
    """Prepare a connection, which is opened by the first command.

    Raises:
        InvalidInput: It is not the address of a Redis server.
    """
    try:
        return redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
    except (ValueError, exceptions.RedisError):  # the message may have the password
        text = "must be redis://host:port/db, rediss:// with TLS, or unix:///path/of/a/socket."
        raise InvalidInput(Problem("URL", text)) from None


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    """Convert errors of the client; its words have neither password nor data."""
    try:
        yield
    except (exceptions.AuthenticationError, exceptions.AuthorizationError) as error:
        raise InvalidInput(Problem("URL", f"is refused by Redis ({error}). Send a valid user and password.")) from None
    except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
        raise SourceUnavailable(f"Redis does not answer ({type(error).__name__}: {error}).") from error
    except exceptions.ResponseError as error:
        raise InvalidInput(Problem("--stream", f"{name!r} cannot be read ({error}). Name a stream.")) from None
