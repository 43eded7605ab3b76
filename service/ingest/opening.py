"""Sources by the address of a log, and ingesters by the settings of a service."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from service.access.keys import Keys
from service.contexts.requests import ANY_CONTEXT, ContextSpec
from service.contexts.service import ContextService
from service.errors import InvalidInput, Problem
from service.inference.checks import Limits
from service.inference.predictor import Predictor
from service.ingest.bad_entries import BadEntries
from service.ingest.columns import EntryColumns
from service.ingest.destination import Destination
from service.ingest.ingester import BATCH, Ingester
from service.ingest.json_lines import JsonLines
from service.ingest.offsets import OffsetStore
from service.ingest.source import LogSource
from service.registry.repository import Repository
from service.settings import Settings
from service.store.database import Database

REDIS = {"redis", "rediss", "unix"}
NAME_LENGTH_LIMIT = 500
"""Characters of the name of a stream."""
CONSUMER_LENGTH_LIMIT = 100
"""Characters of the name of a consumer."""


def open_sources(url: str, streams: Sequence[str], payload: str | None = None) -> list[LogSource]:
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
        found: list[LogSource] = [RedisStream(client, name, payload) for name in streams]
    elif scheme == "file":
        if streams or payload:
            raise InvalidInput(Problem("--stream", "and --payload are for Redis. Leave them out for a file."))
        found = [JsonLines(Path(unquote(urlsplit(url).path) if is_address else url))]
    else:
        text = f"is of {scheme[:20]!r}; a log is redis://host:port/db, or a file of JSON lines."
        raise InvalidInput(Problem("URL", text))
    return found


@contextmanager
def open_ingester(
    settings: Settings,
    sources: Sequence[LogSource],
    columns: EntryColumns,
    new: ContextSpec = ANY_CONTEXT,
    *,
    consumer: str = "gdssm",
    owner: str = "",
    bad: BadEntries | None = None,
    batch: int = BATCH,
    from_start: bool = False,
    allow_precision_loss: bool = False,
) -> Iterator[Ingester]:
    """Make an ingester on the database and the models of a service, which need not run.

    Args:
        settings: Of the service.
        sources: The streams.
        columns: The use of the fields of entries.
        new: What contexts that do not exist are created with.
        consumer: The name under which offsets are stored; 1 to 100 printable characters.
        owner: The id of the key whose contexts learn; empty for those of callers without a key.
        bad: Gets the entries from which nothing is learnt.
        batch: Entries that are learnt in one transaction, at most.
        from_start: Whether a stream that was never read is read from its beginning, rather than from its end.
        allow_precision_loss: Whether earlier observations may lose significant digits.

    Raises:
        InvalidInput: A name is too long, or there is no such key.
        UnknownModel: No such model.
        DatabaseUnavailable, InvalidSettings: As for `Database.open`.
    """
    _check_name("--consumer", consumer, CONSUMER_LENGTH_LIMIT)
    for source in sources:
        _check_name("--stream", source.name, NAME_LENGTH_LIMIT)
    limits = Limits(settings.max_columns, settings.max_predictions, settings.max_observations)
    predictor = Predictor(Repository.load(settings.directories, settings.threads), settings.default_model, limits)
    if new.model is not None or new.version is not None:
        predictor.runtime(new.model, new.version)
    database = Database.open(settings.database_url)
    try:
        if owner and owner not in {key.id for key in Keys(database).list()}:
            raise InvalidInput(Problem("--owner", f"{owner[:40]!r} is the id of no key. See `gdssm keys list`."))
        contexts = ContextService(database, predictor, settings.max_contexts, settings.context_ttl)
        destination = Destination(contexts, predictor, owner, new, allow_precision_loss=allow_precision_loss)
        offsets = OffsetStore(owner, consumer, time.time)
        yield Ingester(database, sources, offsets, columns, destination, bad=bad, batch=batch, from_start=from_start)
    finally:
        database.close()


def _check_name(field: str, name: str, limit: int) -> None:
    if not 0 < len(name) <= limit or not name.isprintable():
        raise InvalidInput(Problem(field, f"must be 1 to {limit} printable characters."))
