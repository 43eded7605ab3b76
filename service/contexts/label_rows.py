"""The rows by which contexts are found by their labels."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, exists, func, insert, literal, select

from service.contexts.labels import Labels
from service.store.tables import CONTEXT_LABELS, CONTEXTS

COUNTED = 1000
"""Contexts up to which those with a label are counted, to begin with the rarest label of a filter."""

L = CONTEXT_LABELS.c
DELETE = delete(CONTEXT_LABELS).where(
    L.owner == bindparam("o"), L.label == bindparam("l"), L.context_id == bindparam("c")
)


def insert_labels(connection: Connection, owner: str, context_id: str, labels: Labels) -> None:
    """Insert the rows by which a context is found."""
    rows = [{"owner": owner, "label": text, "context_id": context_id} for text in _texts(labels)]
    if rows:
        connection.execute(insert(CONTEXT_LABELS), rows)


def delete_labels(connection: Connection, contexts: Iterable[tuple[str, str, Labels]]) -> None:
    """Delete the rows by which contexts are found; of each its owner, id and labels."""
    rows = [{"o": owner, "l": text, "c": context_id} for owner, context_id, found in contexts for text in _texts(found)]
    if rows:
        connection.execute(DELETE, rows)


def labelled(
    connection: Connection, statement: Select[Any], owner: str, labels: Sequence[tuple[str, str]], after: str
) -> Select[Any]:
    """Restrict a statement on contexts to those of an owner with all labels and ids after one, in their order."""
    first, *others = sorted({f"{key}:{value}" for key, value in labels})
    if others:
        first, *others = sorted((first, *others), key=lambda text: _count(connection, owner, text))
    statement = statement.join(CONTEXT_LABELS, L.context_id == CONTEXTS.c.id).where(L.owner == owner, L.label == first)
    for text in others:
        also = CONTEXT_LABELS.alias()
        found = select(also.c.label).where(
            also.c.owner == owner, also.c.label == text, also.c.context_id == L.context_id
        )
        # A prepared plan of PostgreSQL does not know which label is rare; with an offset it cannot begin with another.
        statement = statement.where(exists(found.offset(0)))
    return statement.where(L.context_id > after).order_by(L.context_id)


def _count(connection: Connection, owner: str, label: str) -> int:
    some = select(literal(1)).where(L.owner == owner, L.label == label).limit(COUNTED).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0


def _texts(labels: Labels) -> list[str]:
    return [f"{key}:{value}" for key, value in labels.items()]
