"""Idempotency keys: a change that is requested twice under one key is made once and answered alike."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.errors import Conflict, InvalidInput, Problem
from service.store.database import Database
from service.store.tables import IDEMPOTENCY_KEYS

C = IDEMPOTENCY_KEYS.c
KEY = re.compile(r"[ -~]{1,200}")
DELETE = delete(IDEMPOTENCY_KEYS).where(C.owner == bindparam("this_owner"), C.idempotency_key == bindparam("this_key"))
KEPT_FOR = 86_400
"""Seconds for which the answer under a key is stored."""
PENDING = "null"
"""Stored as the answer until the transaction of the change ends."""


@dataclass
class IdempotentTransaction:
    """A transaction; under a key that was used before, it changes nothing and has the answer of that time."""

    connection: Connection
    answer: Any = None
    """JSON or a dataclass; the caller sets it unless `is_replay`. It is stored under the key, if there is one."""
    is_replay: bool = False


@contextmanager
def run_idempotent(
    database: Database, owner: str, key: str | None, request: Mapping[str, object], now: float
) -> Iterator[IdempotentTransaction]:
    """Open a transaction for a change that is made once under a key.

    Args:
        database: Stores the change and the key.
        owner: The owner of the key.
        key: 1 to 200 printable ASCII characters; None for no key.
        request: Everything that distinguishes this change from others.
        now: Seconds since 1970.

    Raises:
        InvalidInput: The key has other characters, or too many.
        Conflict: The key was used for another change.
    """
    if key is not None:
        check_key(key)
    with database.transaction() as connection:
        if key is None:
            yield IdempotentTransaction(connection)
            return
        answer = _claim(connection, owner, key, fingerprint(request), now)
        is_replay = answer is not None
        transaction = IdempotentTransaction(connection, json.loads(answer or PENDING), is_replay=is_replay)
        yield transaction
        if not transaction.is_replay:
            _store_answer(connection, owner, key, json.dumps(transaction.answer, default=asdict))


def check_key(key: str) -> None:
    """Check the characters of a key.

    Raises:
        InvalidInput: It has other characters, or too many.
    """
    if not KEY.fullmatch(key):
        raise InvalidInput(Problem("idempotency-key", "must be 1 to 200 printable ASCII characters."))


def check_fingerprint(key: str, used: str, requested: str) -> None:
    """Check that a key that was used is sent again with the same request.

    Raises:
        Conflict: It is another one.
    """
    if used != requested:
        raise Conflict(
            f"The Idempotency-Key {key[:40]!r} was used for another request. Give every request another key, "
            "and the same request sent again the same key."
        )


def fingerprint(request: Mapping[str, object]) -> str:
    """Hash a request, arrays by their content."""
    digest = hashlib.sha256()
    for name, value in request.items():
        digest.update(f"{name}=".encode())
        if isinstance(value, np.ndarray):
            digest.update(f"{value.dtype}{value.shape}".encode())
            digest.update(value.tobytes())
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()


def sweep(connection: Connection, now: float, limit: int) -> int:
    """Delete expired keys, at most so many; returns how many."""
    expired = select(C.owner, C.idempotency_key).where(C.expires <= now).order_by(C.expires).limit(limit)
    keys = connection.execute(expired.with_for_update(skip_locked=True)).all()
    if keys:
        connection.execute(DELETE, [{"this_owner": owner, "this_key": key} for owner, key in keys])
    return len(keys)


def _claim(connection: Connection, owner: str, key: str, request: str, now: float) -> str | None:
    """Insert a key; returns the stored answer if it is in use.

    A second transaction with the same key waits at its INSERT until the first ends.
    """
    found = _find(connection, owner, key, now)
    if found is None:
        connection.execute(delete(IDEMPOTENCY_KEYS).where(*_is(owner, key), C.expires <= now))
        values = {"owner": owner, "idempotency_key": key, "fingerprint": request, "expires": now + KEPT_FOR}
        try:
            with connection.begin_nested():
                connection.execute(insert(IDEMPOTENCY_KEYS).values(**values, answer=PENDING))
        except IntegrityError:
            found = _find(connection, owner, key, now)
    if found is None:
        return None
    check_fingerprint(key, found[0], request)
    return found[1]


def _find(connection: Connection, owner: str, key: str, now: float) -> tuple[str, str] | None:
    """Return the fingerprint and the answer of a key that has not expired."""
    row = connection.execute(select(C.fingerprint, C.answer).where(*_is(owner, key), C.expires > now)).first()
    return None if row is None else (row.fingerprint, row.answer)


def _store_answer(connection: Connection, owner: str, key: str, answer: str) -> None:
    connection.execute(update(IDEMPOTENCY_KEYS).where(*_is(owner, key)).values(answer=answer))


def _is(owner: str, key: str) -> tuple[ColumnElement[bool], ...]:
    return C.owner == owner, C.idempotency_key == key
