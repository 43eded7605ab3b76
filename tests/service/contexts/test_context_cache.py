"""A cached context is never out of date, nor another owner's, and the cache is bounded."""

import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import delete, update

from service.column_names import ColumnNames
from service.contexts import repository as context_repository
from service.contexts.idempotency import IdempotencyKeys
from service.contexts.records import CONTEXT_BYTES, Change, ContextRecord, LoadedContext
from service.contexts.requests import ANY_CONTEXT, ContextSpec
from service.contexts.service import ContextService
from service.errors import Conflict, UnknownContext, UnknownModel
from service.inference.sizes import Array
from service.lru_cache import LruCache
from service.registry.repository import Repository
from service.states.context_state import ContextState
from service.store.database import Database
from service.store.tables import CONTEXTS
from tests.closeness import assert_close
from tests.service.kept import OTHER_OWNER, OWNER, Clock, both, draw, keep, weighed

QUERY = draw(99, 4).x


@pytest.fixture
def elsewhere(database_url: str, repository: Repository, clock: Clock) -> Iterator[ContextService]:
    """The same contexts, as another process has them."""
    database = Database.open(database_url)
    yield keep(database, repository, clock)
    database.close()


@pytest.fixture
def waits(database_url: str) -> bool:
    """Whether this database is one that is waited for."""
    return database_url.startswith("postgresql")


def ask(contexts: ContextService, record: ContextRecord, owner: str = OWNER) -> Array:
    return contexts.predict(owner, record.id, QUERY)[0].prediction


def one_shot(contexts: ContextService, *parts: int) -> Array:
    whole = draw(parts[0])
    for seed in parts[1:]:
        whole = both(whole, draw(seed))
    return contexts._predictor.predict("linear", whole, QUERY).prediction


def used(contexts: ContextService) -> ContextRecord:
    """One that is kept ready."""
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    ask(contexts, record)
    return record


def refuse(*_: object) -> None:
    raise AssertionError


def gone(*_: object) -> None:
    raise UnknownModel("linear", [])


def test_what_is_kept_ready_is_not_read_again(contexts: ContextService, monkeypatch: pytest.MonkeyPatch) -> None:
    record = used(contexts)
    monkeypatch.setattr(context_repository, "restore", refuse)
    assert_close(ask(contexts, record), one_shot(contexts, 1), "prediction", rtol=1e-8)
    contexts.observe(OWNER, record.id, draw(2))
    assert_close(ask(contexts, record), one_shot(contexts, 1, 2), "prediction", rtol=1e-8)
    contexts.repository._cache = LruCache()
    for use in (lambda: ask(contexts, record), lambda: contexts.observe(OWNER, record.id, draw(3))):
        with pytest.raises(AssertionError):
            use()


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
@pytest.mark.parametrize("make", ["create", "observe", "merge", "load"])
def test_what_was_stored_here_is_ready_and_as_it_will_be_read(
    contexts: ContextService, elsewhere: ContextService, monkeypatch: pytest.MonkeyPatch, make: str, model: str
) -> None:
    record = contexts.create(OWNER, ContextSpec(model), weighed(draw(1, 40), 0.3))
    if make == "observe":
        record = contexts.observe(OWNER, record.id, weighed(draw(2), 0.7))
    elif make == "merge":
        record = contexts.merge(OWNER, record.id, contexts.create(OWNER, ContextSpec(model), draw(2)).id)
    elif make == "load":
        record = contexts.load(OWNER, contexts.export(OWNER, record.id)[0])
    there = elsewhere.repository.load(OWNER, record.id)
    monkeypatch.setattr(context_repository, "restore", refuse)
    here = contexts.repository.load(OWNER, record.id)
    assert here.record == there.record
    assert replace(here.state, tensors=None) == replace(there.state, tensors=None)
    assert here.state.tensors is not None
    assert there.state.tensors is not None
    assert here.state.tensors.keys() == there.state.tensors.keys()
    for name, tensor in here.state.tensors.items():
        assert tensor.dtype == there.state.tensors[name].dtype
        assert tensor.tobytes() == there.state.tensors[name].tobytes(), name


def test_what_another_process_learnt_is_seen_at_once(contexts: ContextService, elsewhere: ContextService) -> None:
    record = used(contexts)
    for seed in (2, 3):
        after = elsewhere.observe(OWNER, record.id, draw(seed))
        assert contexts.repository.find_cached(OWNER, record.id) is None
        predicted, seen, _ = contexts.predict(OWNER, record.id, QUERY)
        assert (seen, predicted.n_observations) == (after, after.n_observations)
        assert_close(predicted.prediction, one_shot(contexts, *range(1, seed + 1)), "prediction", rtol=1e-8)


def test_what_another_process_learnt_is_learnt_on(contexts: ContextService, elsewhere: ContextService) -> None:
    record = used(contexts)
    for seed in (2, 3, 4, 5):
        (elsewhere if seed % 2 else contexts).observe(OWNER, record.id, draw(seed))
    assert_close(ask(contexts, record), one_shot(contexts, *range(1, 6)), "prediction", rtol=1e-8)


def test_at_hand_is_what_needs_no_waiting(contexts: ContextService, waits: bool) -> None:
    assert contexts.repository.find_cached(OWNER, "0" * 32) is None
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    held = contexts.repository.find_cached(OWNER, record.id)
    assert (held is None) == waits
    if held is not None:
        assert held.record == record
        np.testing.assert_array_equal(contexts.answer(held, QUERY).prediction, ask(contexts, record))
    contexts.repository._cache = LruCache()
    assert contexts.repository.find_cached(OWNER, record.id) is None


def test_cached_contexts_are_found_during_writes(contexts: ContextService, database: Database, waits: bool) -> None:
    record = used(contexts)
    with database.transaction() as connection:
        connection.execute(update(CONTEXTS).values(version=7))
        assert (contexts.repository.find_cached(OWNER, record.id) is None) == waits
    assert contexts.repository.find_cached(OWNER, record.id) is None


def test_what_has_to_be_written_down_is_not_at_hand(contexts: ContextService, clock: Clock, waits: bool) -> None:
    record = contexts.create(OWNER, ContextSpec(ttl=100), draw(1))
    clock.now += 4
    assert (contexts.repository.find_cached(OWNER, record.id) is None) == waits
    clock.now += 4
    assert contexts.repository.find_cached(OWNER, record.id) is None
    kept = contexts.predict(OWNER, record.id, QUERY)[1]
    assert kept.expires > record.expires + 7
    held = contexts.repository.find_cached(OWNER, record.id)
    assert waits or (held is not None and held.record == kept)


def test_for_a_stranger_nothing_is_kept_ready(contexts: ContextService) -> None:
    record = used(contexts)
    assert contexts.repository.find_cached(OTHER_OWNER, record.id) is None
    with pytest.raises(UnknownContext, match=record.id):
        ask(contexts, record, OTHER_OWNER)


def test_what_is_over_is_not_kept_ready(contexts: ContextService, clock: Clock) -> None:
    record = used(contexts)
    clock.now = record.expires + 1
    assert contexts.repository.find_cached(OWNER, record.id) is None
    with pytest.raises(UnknownContext, match=record.id):
        ask(contexts, record)


def test_what_another_process_deleted_is_gone_at_once(contexts: ContextService, elsewhere: ContextService) -> None:
    record = used(contexts)
    elsewhere.delete(OWNER, record.id)
    assert contexts.repository.find_cached(OWNER, record.id) is None
    with pytest.raises(UnknownContext, match=record.id):
        ask(contexts, record)


def test_another_context_of_the_same_name_and_version_is_another_one(
    contexts: ContextService, database: Database
) -> None:
    first, second = used(contexts), contexts.create(OWNER, ANY_CONTEXT, draw(2))
    with database.transaction() as connection:
        connection.execute(delete(CONTEXTS).where(CONTEXTS.c.id == first.id))
        connection.execute(update(CONTEXTS).values(id=first.id))
    assert (first.version, second.version) == (1, 1)
    assert contexts.repository.find_cached(OWNER, first.id) is None
    contexts.observe(OWNER, first.id, draw(3))
    assert_close(ask(contexts, first), one_shot(contexts, 2, 3), "prediction", rtol=1e-8)


def test_a_change_that_was_undone_is_never_answered_from(
    contexts: ContextService, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = used(contexts)
    with monkeypatch.context() as patched:
        patched.setattr(IdempotencyKeys, "store", refuse)
        with pytest.raises(AssertionError):
            contexts.observe(OWNER, record.id, draw(2), Change("key"))
    assert_close(ask(contexts, record), one_shot(contexts, 1), "prediction", rtol=1e-8)
    contexts.observe(OWNER, record.id, draw(3))
    assert_close(ask(contexts, record), one_shot(contexts, 1, 3), "prediction", rtol=1e-8)


def test_a_model_that_was_replaced_is_held_against_the_state_again(
    contexts: ContextService, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = used(contexts)
    monkeypatch.setattr(contexts._predictor, "runtime", lambda *_: repository.get("gd-1"))
    assert contexts.repository.find_cached(OWNER, record.id) is None
    for use in (lambda: ask(contexts, record), lambda: contexts.observe(OWNER, record.id, draw(2))):
        with pytest.raises(Conflict, match="another file of model linear"):
            use()


def test_a_model_that_is_gone_is_told_to_the_owner_only(
    contexts: ContextService, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = used(contexts)
    monkeypatch.setattr(contexts._predictor, "runtime", gone)
    with pytest.raises(UnknownModel):
        ask(contexts, record)
    with pytest.raises(UnknownContext):
        ask(contexts, record, OTHER_OWNER)


def test_the_least_recently_used_value_is_removed_beyond_the_limit() -> None:
    cache = LruCache[str, str](3 * 800)
    for name in "abc":
        cache.put(name, name, 800)
    assert cache.get("a") is not None
    cache.put("d", "d", 800)
    assert [name for name in "abcd" if cache.get(name)] == ["a", "c", "d"]
    cache.put("e", "e", 2 * 800)
    assert [name for name in "abcde" if cache.get(name)] == ["d", "e"]


def test_a_replaced_value_counts_once_and_one_beyond_the_limit_is_not_cached() -> None:
    cache = LruCache[str, object](2 * 800)
    cache.put("a", "a", 800)
    for _ in range(5):
        cache.put("b", again := object(), 800)
    assert cache.get("a") is not None
    assert cache.get("b") is again
    cache.put("b", "b", 2 * 800 + 1)
    assert cache.get("a") is not None
    assert cache.get("b") is None


def test_a_loaded_context_counts_its_tensors(contexts: ContextService) -> None:
    record, runtime = contexts.create(OWNER), contexts._predictor.runtime("linear")
    assert LoadedContext(record, ContextState({"state": np.zeros(100)}), runtime).size == CONTEXT_BYTES + 800


def test_names_of_columns_take_their_share_of_the_memory(contexts: ContextService, repository: Repository) -> None:
    record, runtime = used(contexts), repository.get("linear")
    names = ColumnNames(tuple(f"{i:0100}" for i in range(500)))
    named = LoadedContext(record, ContextState(columns=names), runtime)
    plain = LoadedContext(record, ContextState(), runtime)
    assert named.size - plain.size >= 2 * sum(sys.getsizeof(name) for name in names.x or ())
