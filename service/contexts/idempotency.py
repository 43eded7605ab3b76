"""Idempotency keys: a change that is requested twice under one key is made once and answered alike."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.errors import Conflict, InvalidInput, Problem
from service.store.database import Database, chunks
from service.store.tables import IDEMPOTENCY_KEYS

OwnedKey = tuple[str, str]
"""An owner and a key."""

KEY = re.compile(r"[ -~]{1,200}")
KEPT_FOR = 86_400
"""Seconds for which the answer under a key is stored."""
PENDING = "null"
"""Stored as the answer until the transaction of the change ends."""
C = IDEMPOTENCY_KEYS.c
THIS = (C.owner == bindparam("this_owner"), C.idempotency_key == bindparam("this_key"))
FIND = select(C.owner, C.idempotency_key, C.fingerprint, C.answer, C.expires).where(
    C.owner == bindparam("this_owner"), C.idempotency_key.in_(bindparam("these", expanding=True))
)
INSERT = {
    "postgresql": postgresql.insert(IDEMPOTENCY_KEYS).on_conflict_do_nothing().returning(C.owner, C.idempotency_key),
    "sqlite": sqlite.insert(IDEMPOTENCY_KEYS).on_conflict_do_nothing().returning(C.owner, C.idempotency_key),
}
ANSWER = update(IDEMPOTENCY_KEYS).where(*THIS)
DELETE = delete(IDEMPOTENCY_KEYS).where(*THIS)


class IdempotencyKeys:
    """The keys of the requests of a transaction: claimed at its start, answered or released at its end.

    A transaction that has some of them waits here until the other one ends. All transactions claim keys in their order,
    and before they lock contexts, so that no two wait for each other.

    Args:
        connection: In the transaction.
        keys: Of its requests.
        now: Seconds since 1970.
    """

    def __init__(self, connection: Connection, keys: Iterable[OwnedKey], now: float) -> None:
        self._connection = connection
        self._now = now
        self._answers: dict[OwnedKey, tuple[str, str]] = {}
        """Fingerprint and answer of keys that are in use."""
        self._claimed: set[OwnedKey] = set()
        self._new: dict[OwnedKey, tuple[str, object]] = {}
        wanted = sorted(set(keys))
        if wanted:
            self._claim(wanted)

    def is_new(self, key: OwnedKey) -> bool:
        """Whether no request has used a key yet."""
        return key not in self._answers and key not in self._new

    def answer_of(self, key: OwnedKey, fingerprint: str) -> Any | None:  # noqa: ANN401  (JSON, or a dataclass)
        """Return the answer to the request that used a key; None if none has.

        Raises:
            Conflict: Another request has used it.
        """
        if key in self._new:
            used, answer = self._new[key]
        elif key in self._answers:
            used, text = self._answers[key]
            answer = json.loads(text)
        else:
            return None
        if used != fingerprint:
            raise Conflict(
                f"The Idempotency-Key {key[1][:40]!r} was used for another request. Give every request another key, "
                "and the same request sent again the same key."
            )
        return answer

    def set_answer(self, key: OwnedKey, fingerprint: str, answer: object) -> None:
        """Answer a request; it is stored by `store`."""
        self._new[key] = (fingerprint, answer)

    def store(self) -> None:
        """Write the answers, and release the keys of requests that failed."""
        answered = [
            {**_this(key), "fingerprint": used, "answer": json.dumps(answer, default=asdict)}
            for key, (used, answer) in self._new.items()
        ]
        released = [_this(key) for key in self._claimed - self._new.keys()]
        if answered:
            self._connection.execute(ANSWER, answered)
        if released:
            self._connection.execute(DELETE, released)

    def _claim(self, wanted: Sequence[OwnedKey]) -> None:
        found = self._find(wanted)
        expired = [_this(key) for key in wanted if key in found and found[key].expires <= self._now]
        if expired:
            self._connection.execute(DELETE, expired)
        self._answers = {key: (row.fingerprint, row.answer) for key, row in found.items() if row.expires > self._now}
        self._insert([key for key in wanted if key not in self._answers])
        others = [key for key in wanted if key not in self._answers and key not in self._claimed]
        self._answers |= {key: (row.fingerprint, row.answer) for key, row in self._find(others).items()}

    def _find(self, keys: Sequence[OwnedKey]) -> dict[OwnedKey, Any]:
        found = {}
        for owner, of_owner in groupby(keys, itemgetter(0)):
            for some in chunks([key for _, key in of_owner]):
                for row in self._connection.execute(FIND, {"this_owner": owner, "these": some}):
                    found[row.owner, row.idempotency_key] = row
        return found

    def _insert(self, keys: Sequence[OwnedKey]) -> None:
        """Insert keys in their order; one that another transaction has inserted meanwhile is left out."""
        statement = INSERT[self._connection.dialect.name]
        for some in chunks(keys):
            rows = [
                {"owner": owner, "idempotency_key": key, "fingerprint": "", "answer": PENDING}
                | {"expires": self._now + KEPT_FOR}
                for owner, key in some
            ]
            self._claimed |= {(row.owner, row.idempotency_key) for row in self._connection.execute(statement, rows)}


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
        owned, used_for = (owner, key), fingerprint(request)
        keys = IdempotencyKeys(connection, [owned], now)
        transaction = IdempotentTransaction(
            connection, keys.answer_of(owned, used_for), is_replay=not keys.is_new(owned)
        )
        yield transaction
        if not transaction.is_replay:
            keys.set_answer(owned, used_for, transaction.answer)
            keys.store()


def check_key(key: str) -> None:
    """Check the characters of a key.

    Raises:
        InvalidInput: It has other characters, or too many.
    """
    if not KEY.fullmatch(key):
        raise InvalidInput(Problem("idempotency-key", "must be 1 to 200 printable ASCII characters."))


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
        connection.execute(DELETE, [_this((owner, key)) for owner, key in keys])
    return len(keys)


def _this(key: OwnedKey) -> dict[str, object]:
    return {"this_owner": key[0], "this_key": key[1]}
