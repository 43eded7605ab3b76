"""Contexts in several rows: every way to read them shows all that was learnt, whichever row has learnt it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import copy_context

import numpy as np
import pytest
from safetensors.numpy import load

from service.contexts.records import UNCONDITIONAL, Amendment, Change, ContextRecord
from service.contexts.requests import ContextSpec, ObserveRequest
from service.contexts.service import ContextService
from service.contexts.shards import find_free, owner_of
from service.errors import (
    Conflict,
    InvalidInput,
    PrecisionLoss,
    ServiceError,
    UnknownContext,
    UnsupportedByModel,
)
from service.inference.predictor import Observations
from service.registry.repository import Repository
from service.states.context_state import FeatureScale
from service.states.tensors import unpacked
from service.store.database import Database
from service.store.tables import CONTEXTS
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.service.kept import OWNER, Clock, draw, keep, step_of, weighed

SHARDS = 3
QUERY = draw(99).x
SCALE = FeatureScale((0.0,) * 5, (1.0,) * 5)
EXACT = 1e-9


def create(contexts: ContextService, model: str = "linear", **options: object) -> ContextRecord:
    scale = SCALE if model == "nonlinear" else None
    return contexts.create(OWNER, ContextSpec(model, scale=scale, shards=SHARDS, **options), draw(0, 40))  # type: ignore[arg-type]


@contextmanager
def busy(database: Database, context: str, shards: int) -> Iterator[None]:
    """Lock some shards, as other replicas do."""
    if database._engine.dialect.name == "sqlite":  # one writer: there is never another transaction
        yield
        return
    with ExitStack() as stack:
        for _ in range(shards):
            connection = stack.enter_context(database.transaction())
            find_free(connection, context)
        yield


def spread(contexts: ContextService, database: Database, context: str, parts: list[Observations]) -> None:
    """Learn each part into the first free shard while 0, 1 or 2 are locked."""
    for number, part in enumerate(parts):
        with busy(database, context, number % SHARDS):
            contexts.observe(OWNER, context, part)


def rows_of(database: Database, context: str) -> list[tuple[int, int]]:
    """Versions and numbers of observations of the shards."""
    with database.reading() as connection:
        statement = CONTEXTS.select().where(CONTEXTS.c.owner == owner_of(context)).order_by(CONTEXTS.c.id)
        return [(row.version, row.n_observations) for row in connection.execute(statement)]


@pytest.mark.parametrize("model", ["linear", "nonlinear", "gd-1"])
def test_the_joined_state_is_that_of_one_row(contexts: ContextService, database: Database, model: str) -> None:
    sharded, whole = (
        create(contexts, model),
        contexts.create(OWNER, ContextSpec(model, scale=SCALE if model == "nonlinear" else None), draw(0, 40)),
    )
    parts = [draw(seed, 1 + seed % 4) for seed in range(1, 10)]
    spread(contexts, database, sharded.id, parts)
    for part in parts:
        contexts.observe(OWNER, whole.id, part)
    here, there = (contexts.repository.load(OWNER, one.id) for one in (sharded, whole))
    assert (here.record.version, here.record.n_observations) == (there.record.version, there.record.n_observations)
    for name in nonempty(sorted(there.state.tensors or {})):
        assert_close((here.state.tensors or {})[name], (there.state.tensors or {})[name], name, rtol=EXACT)
    answers = [contexts.predict(OWNER, one.id, QUERY)[0].prediction for one in (sharded, whole)]
    assert_close(answers[0], answers[1], "prediction", rtol=1e-6)


def test_transactions_at_the_same_time_have_different_rows(contexts: ContextService, database: Database) -> None:
    sharded = create(contexts)
    spread(contexts, database, sharded.id, [draw(seed, 2) for seed in range(9)])
    rows = rows_of(database, sharded.id)
    assert sum(version for version, _ in rows) == 9
    assert sum(observed for _, observed in rows) == 18
    if database._engine.dialect.name == "postgresql":
        assert sum(version > 0 for version, _ in rows) == SHARDS


def test_every_view_has_the_sums(contexts: ContextService, database: Database) -> None:
    sharded = create(contexts, name="sharded")
    spread(contexts, database, sharded.id, [draw(seed, 2) for seed in range(4)])
    found = [
        contexts.get(OWNER, sharded.id),
        contexts.view(OWNER, sharded.id).record,
        contexts.list(OWNER, 10).contexts[0],
        contexts.predict(OWNER, sharded.id, QUERY)[1],
        contexts.repository.find_named(OWNER, "sharded"),
    ]
    assert {(one.version, one.n_observations, one.shards) for one in nonempty(found) if one} == {(5, 48, SHARDS)}
    assert len(contexts.list(OWNER, 10).contexts) == 1


def test_every_change_gets_a_version_while_they_come_one_by_one(contexts: ContextService) -> None:
    sharded = create(contexts)
    assert [contexts.observe(OWNER, sharded.id, draw(seed)).version for seed in range(3)] == [2, 3, 4]
    requests = [ObserveRequest(OWNER, sharded.id, draw(seed)) for seed in range(3)]
    found = contexts.observe_waiting(sharded.id, lambda: (requests, [copy_context() for _ in requests]))
    assert [one.version for one in found if isinstance(one, ContextRecord)] == [5, 6, 7]


def test_a_reader_elsewhere_sees_every_change(
    contexts: ContextService, database_url: str, repository: Repository, clock: Clock
) -> None:
    sharded, elsewhere = create(contexts), Database.open(database_url)
    other = keep(elsewhere, repository, clock)
    for version in nonempty(range(2, 6)):
        contexts.observe(OWNER, sharded.id, draw(version))
        assert other.predict(OWNER, sharded.id, QUERY)[1].version == version
    elsewhere.close()


def test_an_export_is_an_ordinary_context(contexts: ContextService) -> None:
    sharded = create(contexts)
    contexts.observe(OWNER, sharded.id, draw(1))
    exported, _ = contexts.export(OWNER, sharded.id)
    copy = contexts.load(OWNER, exported)
    assert (copy.shards, copy.n_observations) == (0, 47)
    assert unpacked(load(exported))["state.count"] == 47
    contexts.observe(OWNER, copy.id, weighed(draw(1), -1.0))


def test_keys_count_once(contexts: ContextService) -> None:
    sharded = create(contexts)
    first = contexts.observe(OWNER, sharded.id, draw(1), Change("key"))
    assert contexts.observe(OWNER, sharded.id, draw(1), Change("key")) == first
    with pytest.raises(Conflict):
        contexts.observe(OWNER, sharded.id, draw(2), Change("key"))
    assert contexts.get(OWNER, sharded.id).version == 2


def test_observations_that_the_whole_context_refuses_are_refused(contexts: ContextService, database: Database) -> None:
    sharded = create(contexts)
    wrong = [draw(1, inputs=4), draw(1, outputs=2), weighed(draw(1), 1e20), draw(1)._replace(levels=(0,))]
    kinds = [InvalidInput, InvalidInput, PrecisionLoss, ServiceError]
    for observations, kind in nonempty(list(zip(wrong, kinds, strict=True))):
        with pytest.raises(kind):
            contexts.observe(OWNER, sharded.id, observations)
    assert rows_of(database, sharded.id) == [(0, 0)] * SHARDS


def test_changes_that_need_all_rows_are_refused(contexts: ContextService) -> None:
    sharded, other = create(contexts), contexts.create(OWNER, ContextSpec("linear"), draw(2))
    with pytest.raises(UnsupportedByModel, match="takes nothing out"):
        contexts.observe(OWNER, sharded.id, weighed(draw(0, 40), -1.0))
    with pytest.raises(InvalidInput, match="Leave it out"):
        contexts.observe(OWNER, sharded.id, draw(1), Change(if_version=1))
    with pytest.raises(InvalidInput, match="Leave it out"):
        contexts.delete(OWNER, sharded.id, Change(if_version=1))
    for pair in ((sharded, other), (other, sharded)):
        with pytest.raises(Conflict, match="export it"):
            contexts.merge(OWNER, pair[0].id, pair[1].id)
    with pytest.raises(Conflict, match="export it"):
        step_of(contexts, OWNER, sharded.id, draw(1, 1), None)
    assert contexts.get(OWNER, sharded.id).version == 1


@pytest.mark.parametrize(
    ("spec", "first", "problem"),
    [
        (ContextSpec("linear", decay=0.9, shards=2), draw(0), "decay"),
        (ContextSpec("linear", shards=2), None, "first observations"),
        (ContextSpec("nonlinear", shards=2), draw(0, 20), "scale"),
    ],
)
def test_contexts_whose_states_would_not_join_get_no_shards(
    contexts: ContextService, spec: ContextSpec, first: Observations | None, problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        contexts.create(OWNER, spec, first)
    assert contexts.list(OWNER, 10).contexts == ()


def test_models_whose_states_do_not_merge_get_no_shards(contexts: ContextService) -> None:
    with pytest.raises(UnsupportedByModel):
        contexts.create(OWNER, ContextSpec("sine-trained", shards=2), draw(0, inputs=1, outputs=1))


def test_an_amendment_keeps_the_rows(contexts: ContextService) -> None:
    sharded = create(contexts)
    contexts.observe(OWNER, sharded.id, draw(1))
    amended = contexts.amend(OWNER, sharded.id, Amendment(name="other"), UNCONDITIONAL)
    assert (amended.name, amended.version, amended.n_observations) == ("other", 3, 47)
    assert contexts.observe(OWNER, sharded.id, draw(2)).version == 4


def test_shards_go_with_their_context(contexts: ContextService, database: Database, clock: Clock) -> None:
    deleted, expired = create(contexts), create(contexts, ttl=10)
    contexts.delete(OWNER, deleted.id)
    clock.now += 11
    assert contexts.sweep() == 1
    with database.reading() as connection:
        assert connection.execute(CONTEXTS.select()).all() == []
    with pytest.raises(UnknownContext):
        contexts.observe(OWNER, deleted.id, draw(1))
    with pytest.raises(UnknownContext):
        contexts.predict(OWNER, expired.id, QUERY)


def test_observations_restart_the_ttl(contexts: ContextService, clock: Clock) -> None:
    sharded = create(contexts, ttl=10)
    for seed in range(5):
        clock.now += 6
        contexts.observe(OWNER, sharded.id, draw(seed))
    contexts.sweep()
    assert contexts.get(OWNER, sharded.id).n_observations == 75


def test_many_threads_lose_nothing(contexts: ContextService, database: Database) -> None:
    sharded = create(contexts)
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda seed: contexts.observe(OWNER, sharded.id, draw(seed, 2)), range(30)))
    assert len(found) == 30
    record = contexts.get(OWNER, sharded.id)
    assert (record.version, record.n_observations) == (31, 100)
    state = contexts.repository.load(OWNER, sharded.id).state
    x = np.concatenate([draw(0, 40).x, *(draw(seed, 2).x for seed in range(30))])
    assert_close(np.asarray((state.tensors or {})["state.mean"])[0, 3:8], x.mean(0), "mean", rtol=EXACT)
    assert state.count == 100
    assert len(rows_of(database, sharded.id)) == SHARDS
