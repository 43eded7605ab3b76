"""Sources by the address of a log: a Redis server, or a file."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from service.errors import InvalidInput, Problem
from service.ingest.json_lines import JsonLines
from service.ingest.source import Source

REDIS = {"redis", "rediss", "unix"}
NAME_LENGTH_LIMIT = 500
"""Characters of the name of a stream."""


def open_sources(url: str, streams: Sequence[str], payload: str | None = None) -> list[Source]:
    """Prepare sources; nothing is read yet.

    Args:
        url: redis://, rediss:// or unix:// for Redis, else the path of a file of JSON lines.
        streams: Keys of streams in Redis.
        payload: A field of entries in Redis that has a JSON object.

    Raises:
        InvalidInput: The address is of another kind, or streams are missing.
    """
    scheme, is_address, _ = url.partition("://")
    scheme = scheme if is_address else "file"
    if scheme in REDIS:
        if not streams:
            raise InvalidInput(Problem("--stream", "is missing. Name the key of a stream."))
        from service.ingest.redis_stream import RedisStream, connect  # noqa: PLC0415  (redis is an extra)

        client = connect(url)
        found: list[Source] = [RedisStream(client, name, payload) for name in streams]
    elif scheme == "file":
        if streams or payload:
            raise InvalidInput(Problem("--stream", "and --payload are for Redis. Leave them out for a file."))
        found = [JsonLines(Path(unquote(urlsplit(url).path) if is_address else url))]
    else:
        text = f"is of {scheme[:20]!r}; a log is redis://host:port/db, or a file of JSON lines."
        raise InvalidInput(Problem("URL", text))
    for source in found:
        if not 0 < len(source.name) <= NAME_LENGTH_LIMIT or not source.name.isprintable():
            raise InvalidInput(Problem("--stream", f"must be 1 to {NAME_LENGTH_LIMIT} printable characters."))
    return found
