"""The number of contexts of each owner, and of all, counted in the transactions that add and delete them.

An owner has 16 counts, one for each last digit of an id, of at most a sixteenth of the quota. A transaction locks the
count that it changes until its end, so one count would let only one replica create contexts at a time.
"""

import math
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

from sqlalchemy import Connection, bindparam, func, select, text, update

from service.errors import DatabaseUnavailable
from service.store.database import Database
from service.store.tables import CONTEXT_COUNTS

CACHE_SECONDS = 15.0
"""Seconds for which the number of all contexts is kept: it adds 16 counts of each owner."""

SLOTS = "0123456789abcdef"
K = CONTEXT_COUNTS.c
COUNTS = select(K.slot, K.count).where(K.owner == bindparam("owner"))
INCREMENT = (
    update(CONTEXT_COUNTS)
    .where(K.owner == bindparam("o"), K.slot == bindparam("s"), K.count < bindparam("limit"))
    .values(count=K.count + 1)
)
ADD_SLOT = text("INSERT INTO context_counts (owner, slot, count) VALUES (:owner, :slot, 0) ON CONFLICT DO NOTHING")
DECREMENT = (
    update(CONTEXT_COUNTS)
    .where(K.owner == bindparam("o"), K.slot == bindparam("s"))
    .values(count=K.count - bindparam("n"))
)


def count_one_more(connection: Connection, owner: str, limit: int) -> str | None:
    """Count one more context of an owner.

    Returns:
        The last digit that its id must have; None if the owner has as many as the limit allows.
    """
    while sum((counts := _counts(connection, owner)).values()) < limit:
        shares = {slot: limit // len(SLOTS) + (i < limit % len(SLOTS)) for i, slot in enumerate(SLOTS)}
        if any(counts[slot] > shares[slot] for slot in SLOTS):
            return _count_alone(connection, owner, limit)
        for slot in _slots_of_thread():
            if counts[slot] < shares[slot] and _increment(connection, owner, slot, shares[slot]):
                return slot
    return None


def count_removed(connection: Connection, removed: Iterable[tuple[str, str]]) -> None:
    """Count contexts that were deleted, of each its owner and its id."""
    numbers = Counter((owner, context_id[-1]) for owner, context_id in removed)
    if numbers:  # in one order, so that no two transactions wait for each other
        rows = [{"o": owner, "s": slot, "n": number} for (owner, slot), number in sorted(numbers.items())]
        connection.execute(DECREMENT, rows)


def total(connection: Connection) -> int:
    """Return the number of contexts of all owners, with expired ones that were not deleted yet."""
    return int(connection.scalar(select(func.sum(K.count))) or 0)


def _counts(connection: Connection, owner: str, *, lock: bool = False) -> Counter[str]:
    statement = COUNTS.order_by(K.slot).with_for_update() if lock else COUNTS
    return Counter(dict(connection.execute(statement, {"owner": owner}).all()))


def _increment(connection: Connection, owner: str, slot: str, limit: int) -> bool:
    """Add one to a count below a limit; a count that has reached it is not locked, unlike by ON CONFLICT DO UPDATE."""
    row = {"o": owner, "s": slot, "limit": limit}
    if connection.execute(INCREMENT, row).rowcount == 1:
        return True
    is_new = connection.execute(ADD_SLOT, {"owner": owner, "slot": slot}).rowcount == 1
    return is_new and connection.execute(INCREMENT, row).rowcount == 1


def _count_alone(connection: Connection, owner: str, limit: int) -> str | None:
    """Count one more with all counts locked, where one is over its share: the quota was larger before."""
    connection.execute(ADD_SLOT, [{"owner": owner, "slot": slot} for slot in SLOTS])
    counts = _counts(connection, owner, lock=True)
    if sum(counts.values()) >= limit:
        return None
    slot = min(SLOTS, key=counts.__getitem__)
    _increment(connection, owner, slot, limit)
    return slot


def _slots_of_thread() -> str:
    """Order the slots: threads begin at different ones, and each at the same one throughout a transaction."""
    first = hash((os.getpid(), threading.get_ident())) % len(SLOTS)
    return SLOTS[first:] + SLOTS[:first]


class ContextCount:
    """Counts the contexts of a database for a metric, with a cache.

    Args:
        database: Is counted in.
        is_up: Whether it answers; otherwise it is not asked.
    """

    def __init__(self, database: Database, is_up: Callable[[], bool] = lambda: True) -> None:
        self._database = database
        self._is_up = is_up
        self._lock = threading.Lock()
        self._count = math.nan
        self._until = 0.0

    def read(self) -> float:
        """Count those of all owners; not a number where the database does not answer."""
        if not self._is_up():
            return math.nan
        with self._lock:
            if time.monotonic() >= self._until:
                self._count = _count(self._database)
                self._until = time.monotonic() + CACHE_SECONDS
            return self._count


def _count(database: Database) -> float:
    try:
        with database.reading() as connection:
            return float(total(connection))
    except DatabaseUnavailable:
        return math.nan
