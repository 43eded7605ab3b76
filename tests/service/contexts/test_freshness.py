"""Predictions from a state of some age: how old it may be, and what ends its use before."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from service.contexts.batches import AnsweredQuery, QueryRequest
from service.contexts.checked_versions import CheckedVersions
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.errors import UnknownContext
from service.registry.repository import Repository
from service.store.database import Database
from tests.nonempty import nonempty
from tests.service.kept import OTHER_OWNER, OWNER, Clock, draw, keep

QUERY = draw(9).x
LONG = 1000.0


@pytest.fixture
def other(database_url: str, repository: Repository, clock: Clock) -> Iterator[ContextService]:
    """Another process on the same database, from which no notices come."""
    database = Database.open(database_url)
    yield keep(database, repository, clock)
    database.close()


@pytest.fixture
def ticks(contexts: ContextService, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the checks, in its first item."""
    time = [100.0]
    monkeypatch.setattr(contexts.repository._checked, "clock", lambda: time[0])
    return time


def version(contexts: ContextService, context: str, max_age: float, owner: str = OWNER) -> int:
    """Predict, and return the version that has answered."""
    return contexts.predict(owner, context, QUERY, max_age=max_age)[1].version


def change(contexts: ContextService, context: str) -> None:
    contexts.observe(OWNER, context, draw(2))


def test_a_change_elsewhere_is_seen_once_the_age_is_over(
    contexts: ContextService, other: ContextService, ticks: list[float]
) -> None:
    context = contexts.create(OWNER, ContextSpec("linear"), draw(1)).id
    assert version(contexts, context, 5.0) == 1
    change(other, context)
    ticks[0] += 4.9
    assert (version(contexts, context, 5.0), version(contexts, context, 4.0)) == (1, 2)
    change(other, context)
    assert (version(contexts, context, 5.0), version(contexts, context, 0.0)) == (2, 3)


def test_a_batch_allows_each_of_its_contexts_an_age(
    contexts: ContextService, other: ContextService, ticks: list[float]
) -> None:
    ids = [contexts.create(OWNER, ContextSpec("linear"), draw(seed)).id for seed in range(3)]

    def versions(max_age: float, owner: str = OWNER) -> list[int | None]:
        results = contexts.batches.predict(owner, [QueryRequest(one, QUERY) for one in ids], max_age)
        return [result.record.version if isinstance(result, AnsweredQuery) else None for result in results]

    assert versions(5.0) == [1, 1, 1]
    change(other, ids[0])
    ticks[0] += 3.0
    assert version(contexts, ids[1], 1.0) == 1  # looked at later than the others
    change(other, ids[1])
    assert versions(5.0) == [1, 1, 1]
    ticks[0] += 3.0
    assert versions(5.0) == [2, 1, 1]
    assert versions(0.0) == [2, 2, 1]
    assert versions(LONG, OTHER_OWNER) == [None] * 3


def test_without_an_age_every_change_is_seen(contexts: ContextService, other: ContextService) -> None:
    context = contexts.create(OWNER, ContextSpec("linear"), draw(1)).id
    for expected in nonempty(range(2, 5)):
        change(other, context)
        assert version(contexts, context, 0.0) == expected


def test_changes_of_the_same_process_are_seen_at_once(contexts: ContextService, ticks: list[float]) -> None:
    context, merged = (
        contexts.create(OWNER, ContextSpec("linear"), draw(1)).id,
        contexts.create(OWNER, ContextSpec("linear"), draw(3)).id,
    )
    assert version(contexts, context, LONG) == 1
    ticks[0] += 1
    change(contexts, context)
    ticks[0] += 1
    assert version(contexts, context, LONG) == 2
    contexts.merge(OWNER, context, merged)
    ticks[0] += 1
    assert version(contexts, context, LONG) == 3
    contexts.delete(OWNER, context)
    with pytest.raises(UnknownContext):
        version(contexts, context, LONG)


def test_a_change_that_is_rolled_back_is_not_seen(contexts: ContextService, database: Database) -> None:
    context = contexts.create(OWNER, ContextSpec("linear"), draw(1)).id
    before, *_ = contexts.predict(OWNER, context, QUERY, max_age=LONG)
    repository = contexts.repository
    with suppress(ZeroDivisionError), database.transaction() as connection:
        loaded = repository.load_for_update(connection, OWNER, context)
        repository.save(connection, loaded, replace(loaded.state, n_observations=99))
        raise ZeroDivisionError
    after, record, _ = contexts.predict(OWNER, context, QUERY, max_age=LONG)
    assert record.version == 1
    assert (after.prediction == before.prediction).all()


def test_another_owner_never_gets_an_answer(contexts: ContextService) -> None:
    context = contexts.create(OWNER, ContextSpec("linear"), draw(1)).id
    assert version(contexts, context, LONG) == 1
    with pytest.raises(UnknownContext):
        version(contexts, context, LONG, OTHER_OWNER)


def test_an_expired_context_is_unknown_at_once(contexts: ContextService, clock: Clock) -> None:
    context = contexts.create(OWNER, ContextSpec("linear", ttl=10), draw(1)).id
    assert version(contexts, context, LONG) == 1
    clock.now += 11
    with pytest.raises(UnknownContext):
        version(contexts, context, LONG)


def test_a_recent_context_is_read_without_the_database(contexts: ContextService, database: Database) -> None:
    context = contexts.create(OWNER, ContextSpec("linear"), draw(1)).id
    assert version(contexts, context, LONG) == 1
    database.close()
    assert contexts.repository.find_cached(OWNER, context, LONG) is not None


def test_a_look_that_began_before_a_notice_is_no_check(contexts: ContextService) -> None:
    record, checked = contexts.create(OWNER, ContextSpec("linear"), draw(1)), CheckedVersions(lambda: 7.0)
    checked.hear([record.id])
    checked.note(OWNER, record, 6.0)
    assert not checked.is_recent(OWNER, record, LONG)
    checked.note(OWNER, record, 7.5)
    assert checked.is_recent(OWNER, record, LONG)
    checked.hear(None)
    assert not checked.is_recent(OWNER, record, LONG)
    checked.note(OWNER, record, 6.5)
    assert not checked.is_recent(OWNER, record, LONG)


def test_checks_are_bounded(contexts: ContextService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.contexts.checked_versions.CONTEXTS_LIMIT", 2)
    checked = CheckedVersions()
    records = [contexts.create(OWNER, ContextSpec("linear"), draw(1)) for _ in range(3)]
    for number, record in enumerate(records):
        checked.note(OWNER, record, checked.clock() + number * 1e-6)
    assert [checked.is_recent(OWNER, record, LONG) for record in records] == [False, True, True]
