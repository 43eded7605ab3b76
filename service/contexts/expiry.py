"""Deletes contexts with their shards, labels and counts; expired ones in batches that take little time."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select

from service.contexts import idempotency
from service.contexts.label_rows import delete_labels
from service.contexts.labels import labels_from
from service.contexts.quota import count_removed
from service.contexts.shards import delete_shards
from service.store.database import Database
from service.store.tables import CONTEXTS

FIRST_BATCH = 50
BATCH_LIMIT = 500
"""Rows of one batch."""
BATCH_SECONDS = 0.03
"""Seconds that a batch is to take; the next one is larger or smaller accordingly."""
PAUSE = 0.02
"""Seconds between batches at least, in which other writers get their turn."""

C = CONTEXTS.c


def delete_contexts(connection: Connection, rows: Sequence[Any]) -> None:
    """Delete contexts of which the rows have the owner, the id, the labels and the decay."""
    connection.execute(delete(CONTEXTS).where(C.id.in_([row.id for row in rows])))
    delete_shards(connection, [row.id for row in rows if row.decay is not None and row.decay > 1])
    delete_labels(connection, ((row.owner, row.id, labels_from(row.labels)) for row in rows))
    count_removed(connection, ((row.owner, row.id) for row in rows))


def remove_expired(connection: Connection, now: float, limit: int, *conditions: ColumnElement[bool]) -> int:
    """Delete expired contexts; returns how many.

    Args:
        connection: In a transaction.
        now: Seconds since 1970.
        limit: The largest number.
        *conditions: Of the contexts; without, those that expired first are deleted first.
    """
    expired = select(C.owner, C.id, C.labels, C.decay).where(C.expires <= now, *conditions).limit(limit)
    if not conditions:
        expired = expired.order_by(C.expires)
    # On PostgreSQL several replicas share the work.
    rows = connection.execute(expired.with_for_update(skip_locked=True)).all()
    if rows:
        delete_contexts(connection, rows)
    return len(rows)


def sweep(database: Database, now: float, stopped: Callable[[], bool]) -> int:
    """Delete all expired contexts and idempotency keys; returns the number of contexts.

    Args:
        database: Has them.
        now: Seconds since 1970.
        stopped: Whether to leave the rest, asked between batches.
    """
    _in_batches(database, lambda connection, limit: idempotency.sweep(connection, now, limit), stopped)
    return _in_batches(database, lambda connection, limit: remove_expired(connection, now, limit), stopped)


def _in_batches(database: Database, remove: Callable[[Connection, int], int], stopped: Callable[[], bool]) -> int:
    limit, removed = FIRST_BATCH, 0
    while not stopped():
        with database.transaction() as connection:
            start = time.monotonic()
            found = remove(connection, limit)
        removed += found
        if found < limit:
            break
        seconds = time.monotonic() - start
        limit = min(max(int(limit * min(BATCH_SECONDS / seconds, 2)), 1), BATCH_LIMIT)
        time.sleep(max(seconds, PAUSE))
    return removed
