"""Idempotency keys of a batch of changes: claimed together at its start, answered or released together at its end."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, Insert, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.contexts.idempotency import KEPT_FOR, PENDING, check_fingerprint
from service.store.tables import IDEMPOTENCY_KEYS

OwnedKey = tuple[str, str]
"""An owner and a key."""
Item = TypeVar("Item")

AT_ONCE = 500
"""Values in one statement."""
C = IDEMPOTENCY_KEYS.c
THIS = (C.owner == bindparam("this_owner"), C.idempotency_key == bindparam("this_key"))
FIND = select(C.owner, C.idempotency_key, C.fingerprint, C.answer, C.expires).where(
    C.owner == bindparam("this_owner"), C.idempotency_key.in_(bindparam("these", expanding=True))
)
ANSWER = update(IDEMPOTENCY_KEYS).where(*THIS)
RELEASE = delete(IDEMPOTENCY_KEYS).where(*THIS)


class BatchKeys:
    """The keys of a batch; a transaction that has some of them waits here until the other one ends.

    All transactions claim keys in their order, and before they lock contexts, so that no two wait for each other.

    Args:
        connection: In the transaction of the batch.
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
        return key in self._claimed and key not in self._new

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
        check_fingerprint(key[1], used, fingerprint)
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
            self._connection.execute(RELEASE, released)

    def _claim(self, wanted: Sequence[OwnedKey]) -> None:
        found = self._find(wanted)
        expired = [_this(key) for key in wanted if key in found and found[key].expires <= self._now]
        if expired:
            self._connection.execute(RELEASE, expired)
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
        statement = _insert_new(self._connection).returning(C.owner, C.idempotency_key)
        for some in chunks(keys):
            rows = [
                {"owner": owner, "idempotency_key": key, "fingerprint": "", "answer": PENDING}
                | {"expires": self._now + KEPT_FOR}
                for owner, key in some
            ]
            self._claimed |= {(row.owner, row.idempotency_key) for row in self._connection.execute(statement, rows)}


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Cut a sequence into parts of at most AT_ONCE."""
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))


def _insert_new(connection: Connection) -> Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(IDEMPOTENCY_KEYS).on_conflict_do_nothing()
    return sqlite.insert(IDEMPOTENCY_KEYS).on_conflict_do_nothing()


def _this(key: OwnedKey) -> dict[str, object]:
    return {"this_owner": key[0], "this_key": key[1]}
