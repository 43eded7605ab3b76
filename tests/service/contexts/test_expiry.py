"""Expired contexts and keys are deleted in small batches, between which other writers get their turn."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, func, select

from service.contexts import record_repository
from service.contexts.records import Change
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.store.database import Database
from service.store.tables import CONTEXT_LABELS, CONTEXTS, IDEMPOTENCY_KEYS
from tests.service.contexts.test_quota import check_counts
from tests.service.kept import OTHER_OWNER, OWNER, Clock

EXPIRED, KEPT = 23, 5


@pytest.fixture
def transactions(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of contexts after each transaction of the sweep, whose batches are of at most 7 rows."""
    monkeypatch.setattr(record_repository, "FIRST_BATCH", 4)
    monkeypatch.setattr(record_repository, "BATCH_LIMIT", 7)
    monkeypatch.setattr(record_repository, "PAUSE", 0.0)
    numbers: list[int] = []
    begin = database.transaction

    @contextmanager
    def transaction() -> Iterator[Connection]:
        with begin() as connection:
            yield connection
            numbers.append(connection.scalar(select(func.count()).select_from(CONTEXTS)) or 0)

    monkeypatch.setattr(database, "transaction", transaction)
    return numbers


@pytest.fixture
def filled(contexts: ContextService, clock: Clock) -> ContextService:
    """Contexts of two owners, of which most have expired."""
    for number in range(EXPIRED):
        contexts.create((OWNER, OTHER_OWNER)[number % 2], ContextSpec(ttl=10, labels={"number": str(number)}))
    for number in range(KEPT):
        contexts.create(OWNER, ContextSpec(ttl=10**6, labels={"number": str(number)}, name=f"kept {number}"))
    clock.now += 11
    return contexts


def test_a_batch_has_a_limited_number_of_contexts(
    filled: ContextService, transactions: list[int], database: Database
) -> None:
    assert filled.sweep() == EXPIRED
    assert check_counts(database) == KEPT
    steps = [before - after for before, after in zip([EXPIRED + KEPT, *transactions], transactions, strict=False)]
    assert sum(steps) == EXPIRED
    assert max(steps) <= 7
    assert len(transactions) >= EXPIRED // 7
    assert [record.name for record in filled.list(OWNER, 100).contexts] == [f"kept {n}" for n in range(KEPT)]


def test_labels_go_with_their_contexts(filled: ContextService, database: Database) -> None:
    filled.sweep()
    with database.reading() as connection:
        labels = connection.execute(select(CONTEXT_LABELS.c.context_id)).scalars().all()
    assert sorted(labels) == [record.id for record in filled.list(OWNER, 100).contexts]


def test_a_sweep_that_is_stopped_leaves_the_rest(
    filled: ContextService, transactions: list[int], database: Database
) -> None:
    filled.sweep(lambda: len(transactions) >= 2)
    assert KEPT < check_counts(database) < EXPIRED + KEPT
    filled.sweep()
    assert check_counts(database) == KEPT


def test_another_writer_gets_its_turn_between_batches(
    filled: ContextService, transactions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    created: list[str] = []

    def pause(_: float) -> None:
        created.append(filled.create(OWNER).id)

    monkeypatch.setattr("service.contexts.record_repository.time.sleep", pause)
    assert filled.sweep() == EXPIRED
    assert len(created) >= 3
    assert len(transactions) > len(created)
    assert {*created} <= {record.id for record in filled.list(OWNER, 100).contexts}


def test_a_batch_that_takes_long_is_followed_by_a_smaller_one(
    filled: ContextService, transactions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_repository, "FIRST_BATCH", 8)
    monkeypatch.setattr(record_repository, "BATCH_SECONDS", 0.0)
    filled.sweep()
    steps = [before - after for before, after in zip([EXPIRED + KEPT, *transactions], transactions, strict=False)]
    assert steps[1] == 8  # after that of the keys, which finds none
    assert {*steps[2:]} == {1, 0}


def test_expired_keys_are_deleted_in_batches(
    contexts: ContextService, transactions: list[int], database: Database, clock: Clock
) -> None:
    for number in range(20):
        contexts.create(OWNER, change=Change(f"old {number}"))
    clock.now += 86_401
    contexts.create(OWNER, change=Change("new"))
    transactions.clear()
    contexts.sweep()
    with database.reading() as connection:
        keys = connection.execute(select(IDEMPOTENCY_KEYS.c.idempotency_key)).scalars().all()
    assert keys == ["new"]
    assert len(transactions) >= 20 // 7
