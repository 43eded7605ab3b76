"""The statements on contexts; each within the transaction of its caller."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, bindparam, delete, func, insert, literal, select, update

from service.store.tables import CONTEXTS

Scalar = Callable[[Select[Any], Mapping[str, object]], Any]
"""Reads the first value of a statement: `scalar` of a connection, or `glance` of a database."""

C = CONTEXTS.c
ONE: tuple[Column[Any], ...] = tuple(column for column in C if column is not C.memory)
"""All but the memory."""
LISTED = tuple(column for column in ONE if column is not C.column_names)
"""All but what is long."""
THIS = (C.id == bindparam("this"), C.owner == bindparam("owner"), C.expires > bindparam("now"))
WHOLE, BRIEF = select(*C).where(*THIS), select(*ONE).where(*THIS)
WHOLE_LOCKED, BRIEF_LOCKED = WHOLE.with_for_update(), BRIEF.with_for_update()
UNCHANGED = select(C.expires).where(*THIS, C.version == bindparam("version"), C.updated == bindparam("updated"))
CHANGE = update(CONTEXTS).where(C.id == bindparam("this"))


def add(connection: Connection, **values: object) -> None:
    """Store a new context."""
    connection.execute(insert(CONTEXTS).values(**values))


def find(
    connection: Connection, owner: str, context_id: str, now: float, *, whole: bool = True, lock: bool = False
) -> Row[Any] | None:
    """Read one context that is its owner's and whose time is not over.

    Args:
        connection: In a transaction.
        owner: Whose it must be.
        context_id: Which.
        now: Seconds since 1970.
        whole: With its memory.
        lock: Until the end of the transaction nobody else changes it.
    """
    unlocked, locked = (WHOLE, WHOLE_LOCKED) if whole else (BRIEF, BRIEF_LOCKED)
    return connection.execute(locked if lock else unlocked, {"this": context_id, "owner": owner, "now": now}).first()


def expires_unchanged(
    scalar: Scalar, owner: str, context_id: str, now: float, *, version: int, updated: float
) -> float | None:
    """See whether a context that `find` would find is still as it was: when its time is over; None if it is not.

    Args:
        scalar: Asks.
        owner: As for `find`, and so the next two.
        context_id: Which.
        now: Seconds since 1970.
        version: What it was.
        updated: When it became that, which tells it from what came of a restored backup under the same number.
    """
    names = {"this": context_id, "owner": owner, "now": now, "version": version, "updated": updated}
    expires: float | None = scalar(UNCHANGED, names)
    return expires


def change(connection: Connection, context_id: str, **values: object) -> None:
    """Store what is new about a context."""
    connection.execute(CHANGE, {"this": context_id, **values})


def touch(connection: Connection, context_id: str, expires: float) -> None:
    """Keep a context for longer, never for less."""
    connection.execute(update(CONTEXTS).where(C.id == context_id, C.expires < expires).values(expires=expires))


def remove(connection: Connection, context_id: str) -> None:
    """Forget a context."""
    connection.execute(delete(CONTEXTS).where(C.id == context_id))


def page(connection: Connection, owner: str, now: float, limit: int, after: str | None) -> Sequence[Row[Any]]:
    """Read an owner's contexts in the order of their ids, which is that of their creation."""
    statement = select(*LISTED).where(C.owner == owner, C.expires > now).order_by(C.id).limit(limit)
    return connection.execute(statement if after is None else statement.where(C.id > after)).all()


def count(connection: Connection, owner: str, now: float, most: int) -> int:
    """Count an owner's contexts, up to `most`; until the end of the transaction nobody else counts them."""
    if connection.dialect.name == "postgresql":
        turn = func.hashtextextended(f"contexts of {owner}", 0)
        connection.execute(select(func.pg_advisory_xact_lock(turn)))
    some = select(literal(1)).where(C.owner == owner, C.expires > now).limit(most).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0


def sweep(connection: Connection, now: float) -> int:
    """Remove what has expired; returns how many contexts."""
    return connection.execute(delete(CONTEXTS).where(C.expires <= now)).rowcount
