"""Receipts for changes that were asked for with a key: asked for again, a change is not made again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, Connection, delete, insert, select

from service.errors import Conflict
from service.store.tables import IDEMPOTENCY_KEYS

R = IDEMPOTENCY_KEYS.c

KEPT_FOR = 86_400
"""Seconds."""


@dataclass(frozen=True)
class IdempotencyKey:
    """What one is for."""

    owner: str
    key: str
    fingerprint: str
    """Of the request."""
    now: float
    """Seconds since 1970."""


def fingerprint(request: Mapping[str, object]) -> str:
    """Tell one request from another: hash what was asked for, arrays by their content."""
    digest = hashlib.sha256()
    for name, value in request.items():
        digest.update(f"{name}=".encode())
        if isinstance(value, np.ndarray):
            digest.update(f"{value.dtype}{value.shape}".encode())
            digest.update(value.tobytes())
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()


def find(connection: Connection, receipt: IdempotencyKey) -> str | None:
    """Look up what was answered when this change was made under this key.

    Raises:
        Conflict: The key was used for another one.
    """
    statement = select(R.fingerprint, R.answer).where(*_same_key(receipt), R.expires > receipt.now)
    found = connection.execute(statement).first()
    if found is None:
        return None
    if found.fingerprint != receipt.fingerprint:
        raise Conflict(
            f"The Idempotency-Key {receipt.key[:40]!r} was used for another request. Give every request a key of its "
            "own, and the same request sent again the same key."
        )
    answer: str = found.answer
    return answer


def keep(connection: Connection, receipt: IdempotencyKey, answer: str) -> None:
    """Store what was answered, in the transaction of the change.

    Raises:
        IntegrityError: Another transaction has used the key in the meantime.
    """
    connection.execute(delete(IDEMPOTENCY_KEYS).where(*_same_key(receipt), R.expires <= receipt.now))
    connection.execute(
        insert(IDEMPOTENCY_KEYS).values(
            owner=receipt.owner,
            idempotency_key=receipt.key,
            fingerprint=receipt.fingerprint,
            answer=answer,
            expires=receipt.now + KEPT_FOR,
        )
    )


def sweep(connection: Connection, now: float) -> None:
    """Remove what has expired."""
    connection.execute(delete(IDEMPOTENCY_KEYS).where(R.expires <= now))


def _same_key(receipt: IdempotencyKey) -> tuple[ColumnElement[bool], ...]:
    return R.owner == receipt.owner, R.idempotency_key == receipt.key
