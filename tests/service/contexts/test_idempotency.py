"""A change under an idempotency key is made once, also when another transaction commits the key at the same moment."""

from collections.abc import Sequence
from typing import Any

import pytest

from service.contexts.idempotency import KEPT_FOR, IdempotencyKeys, OwnedKey, run_idempotent
from service.errors import Conflict
from service.store.database import Database

NOW = 1_800_000_000.0


def answer(database: Database, mine: object, request: str = "a", now: float = NOW) -> Any:  # noqa: ANN401
    with run_idempotent(database, "owner", "key", {"request": request}, now) as transaction:
        if not transaction.is_replay:
            transaction.answer = mine
        return transaction.answer


def test_a_replay_has_the_first_answer_until_the_key_expires(database: Database) -> None:
    assert answer(database, 1) == 1
    assert answer(database, 2, now=NOW + KEPT_FOR - 1) == 1
    with pytest.raises(Conflict, match="'key' was used for another request"):
        answer(database, 2, request="b")
    assert answer(database, 3, request="b", now=NOW + KEPT_FOR) == 3


def test_a_key_that_is_committed_after_it_was_looked_for_is_a_replay(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer(database, 1) == 1
    find, looked = IdempotencyKeys._find, list[object]()

    def find_later(keys: IdempotencyKeys, wanted: Sequence[OwnedKey]) -> dict[OwnedKey, Any]:
        looked.append(wanted)
        return find(keys, wanted) if len(looked) > 1 else {}

    monkeypatch.setattr(IdempotencyKeys, "_find", find_later)
    assert answer(database, 2) == 1
    assert len(looked) == 2
