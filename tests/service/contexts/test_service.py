"""Contexts in a database of either kind: observations are stored once and belong to their owner."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from service.contexts.records import Change, ContextRecord
from service.contexts.requests import ANY_CONTEXT, ContextSpec
from service.contexts.service import ContextService
from service.errors import (
    Conflict,
    InvalidInput,
    QuotaExceeded,
    ServiceError,
    UnknownContext,
    UnknownModel,
    UnsupportedByModel,
    VersionMismatch,
)
from service.inference.predictor import Observations
from service.lru_cache import LruCache
from service.registry.repository import Repository
from service.store.database import Database
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.service.kept import OTHER_OWNER, OWNER, Clock, both, draw, keep, part, step_of, weighed

QUERY = draw(99, 4).x


def ask(contexts: ContextService, record: ContextRecord, owner: str = OWNER) -> np.ndarray:
    return contexts.predict(owner, record.id, QUERY)[0].prediction


def one_shot(
    contexts: ContextService, context: Observations, model: str = "linear", version: str | None = None
) -> np.ndarray:
    return contexts._predictor.predict(model, context, QUERY, version=version).prediction


def test_what_is_learnt_in_parts_answers_as_one_shot(contexts: ContextService) -> None:
    record = contexts.create(OWNER)
    for seed in (1, 2, 3):
        record = contexts.observe(OWNER, record.id, draw(seed))
    prediction, same, _ = contexts.predict(OWNER, record.id, QUERY)
    whole = both(both(draw(1), draw(2)), draw(3))
    assert_close(prediction.prediction, one_shot(contexts, whole), "prediction", rtol=1e-8)
    assert same == record
    assert (prediction.n_observations, record.n_observations, record.version) == (21, 21, 4)
    assert (record.model, record.inputs, record.outputs) == ("linear", 5, 3)


def test_a_context_begins_empty_or_with_observations(contexts: ContextService) -> None:
    empty, full = (
        contexts.create(OWNER, ContextSpec("gd-1")),
        contexts.create(OWNER, ContextSpec("gd-1", decay=0.9, ttl=7), draw(1)),
    )
    assert (empty.n_observations, empty.inputs, empty.version, empty.decay, empty.ttl) == (0, None, 1, None, 1000)
    assert (full.n_observations, full.inputs, full.version, full.decay, full.ttl) == (7, 5, 1, 0.9, 7)
    with pytest.raises(InvalidInput, match=r"empty: it has observed nothing, or all was taken out\. Observe\.$"):
        ask(contexts, empty)


def test_what_a_model_fixes_is_known_from_the_start(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ContextSpec("linear-trained"))
    assert (record.inputs, record.outputs) == (10, 1)


def test_parameters_go_to_the_model(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ContextSpec("gd-1"), draw(1))
    near, far = (contexts.predict(OWNER, record.id, QUERY, {"learning_rate": rate})[0] for rate in (0.1, 0.2))
    assert_close(far.prediction, 2 * near.prediction, "prediction")


@pytest.mark.parametrize(
    ("model", "version", "kind"),
    [("nothing", None, UnknownModel), ("linear", "9.0.0", UnknownModel), ("softmax-8", None, UnsupportedByModel)],
)
def test_a_model_that_is_not_there_or_has_no_state_is_refused(
    contexts: ContextService, model: str, version: str | None, kind: type[ServiceError]
) -> None:
    with pytest.raises(kind):
        contexts.create(OWNER, ContextSpec(model, version=version))


def test_first_observations_that_do_not_fit_make_no_context(contexts: ContextService) -> None:
    with pytest.raises(InvalidInput) as refused:
        contexts.create(OWNER, ContextSpec("linear"), draw(1, inputs=30))
    assert contexts.list(OWNER, 10).contexts == ()
    with pytest.raises(InvalidInput) as refused:
        contexts.create(OWNER, ContextSpec("linear"), Observations(np.ones((2, 1)), np.ones(3)))
    assert refused.value.problems[0].field == "observations.y"


def test_what_is_refused_changes_nothing(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    with pytest.raises(InvalidInput):
        contexts.observe(OWNER, record.id, draw(2, inputs=4), Change("key"))
    assert contexts.get(OWNER, record.id) == record
    assert contexts.observe(OWNER, record.id, draw(2), Change("key")).n_observations == 14


USES: list[Callable[[ContextService, str, str], object]] = [
    lambda contexts, owner, name: contexts.get(owner, name),
    lambda contexts, owner, name: contexts.predict(owner, name, QUERY),
    lambda contexts, owner, name: contexts.observe(owner, name, draw(1)),
    lambda contexts, owner, name: step_of(contexts, owner, name, draw(1), QUERY),
    lambda contexts, owner, name: step_of(contexts, owner, name, None, QUERY),
    lambda contexts, owner, name: contexts.merge(owner, name, contexts.create(owner, ANY_CONTEXT, draw(2)).id),
    lambda contexts, owner, name: contexts.export(owner, name),
    lambda contexts, owner, name: contexts.delete(owner, name),
]
TAKEN_IN: Callable[[ContextService, str, str], object] = lambda contexts, owner, name: contexts.merge(  # noqa: E731
    owner, contexts.create(owner, ANY_CONTEXT, draw(2)).id, name
)
each_use = pytest.mark.parametrize("use", [*USES, TAKEN_IN])


@each_use
def test_for_a_stranger_there_is_no_such_context(contexts: ContextService, use: Callable[..., object]) -> None:
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    with pytest.raises(UnknownContext, match=record.id):
        use(contexts, OTHER_OWNER, record.id)
    assert record not in contexts.list(OTHER_OWNER, 10).contexts
    use(contexts, OWNER, record.id)


@each_use
def test_unknown_ids_are_refused(contexts: ContextService, use: Callable[..., object]) -> None:
    for name in ("0" * 32, "0" * 33, "", "x", "%", "\0", "\ud800"):
        with pytest.raises(UnknownContext):
            use(contexts, OWNER, name)


@each_use
def test_after_its_time_a_context_is_gone_at_once(
    contexts: ContextService, clock: Clock, use: Callable[..., object]
) -> None:
    record = contexts.create(OWNER, ContextSpec(ttl=100), draw(1))
    clock.now = record.expires + 1
    with pytest.raises(UnknownContext):
        use(contexts, OWNER, record.id)
    assert contexts.list(OWNER, 10).contexts[-1:] != (record,)


@pytest.mark.parametrize("use", USES[:-1])  # the last one deletes it
def test_a_use_keeps_a_context_for_its_time_anew(
    contexts: ContextService, clock: Clock, use: Callable[..., object]
) -> None:
    record = contexts.create(OWNER, ContextSpec(ttl=100), draw(1))
    clock.now += 60
    use(contexts, OWNER, record.id)
    kept = [found for found in contexts.list(OWNER, 10).contexts if found.id == record.id]
    clock.now += 60
    assert all(found.expires > clock.now and found.updated >= record.updated for found in nonempty(kept))


def test_reading_writes_only_when_it_moves_the_end_by_a_share(contexts: ContextService, clock: Clock) -> None:
    record = contexts.create(OWNER, ContextSpec(ttl=100), draw(1))
    clock.now += 4
    assert contexts.get(OWNER, record.id) == record
    clock.now += 4
    assert contexts.get(OWNER, record.id).expires > record.expires + 7
    assert contexts.get(OWNER, record.id).version == record.version


def test_sweeping_removes_what_is_over_and_nothing_else(contexts: ContextService, clock: Clock) -> None:
    for _ in range(3):
        contexts.create(OWNER, ContextSpec(ttl=10))
    kept = contexts.create(OWNER, ContextSpec(ttl=100))
    clock.now += 50
    assert contexts.sweep() == 3
    assert contexts.sweep() == 0
    assert contexts.list(OWNER, 10).contexts == (kept,)


def test_one_owner_has_a_quota_and_what_is_over_does_not_count(
    database: Database, repository: Repository, clock: Clock
) -> None:
    contexts = keep(database, repository, clock, max_contexts=2)
    first = contexts.create(OWNER, ContextSpec(ttl=10))
    contexts.create(OWNER, ContextSpec(ttl=100))
    contexts.create(OTHER_OWNER)
    with pytest.raises(
        QuotaExceeded, match=r"at most 2 contexts \(GDSSM_MAX_CONTEXTS\)\. Delete one, or give them a shorter ttl\.$"
    ):
        contexts.create(OWNER)
    clock.now = first.expires + 1
    contexts.create(OWNER)


def test_the_quota_holds_when_many_create_at_once(database: Database, repository: Repository, clock: Clock) -> None:
    contexts = keep(database, repository, clock, max_contexts=3)

    def create(_: int) -> bool:
        try:
            contexts.create(OWNER)
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(8))) == 3


def test_pages_are_in_the_order_of_creation_and_skip_nothing(contexts: ContextService) -> None:
    made = [contexts.create(OWNER) for _ in range(7)]
    contexts.create(OTHER_OWNER)
    pages = [contexts.list(OWNER, 3)]
    while pages[-1].after is not None:
        pages.append(contexts.list(OWNER, 3, pages[-1].after))
    assert [record for page in pages for record in page.contexts] == made
    assert contexts.list(OWNER, 7).after is None
    assert contexts.list(OWNER, 3, made[-1].id).contexts == ()
    with pytest.raises(InvalidInput, match="after"):
        contexts.list(OWNER, 3, "\0")


def test_ids_cannot_be_guessed_from_each_other(contexts: ContextService) -> None:
    ids = [contexts.create(OWNER).id for _ in range(7)]
    assert len({name[14:] for name in ids}) == 7
    assert all(a < b for a, b in nonempty(pairwise(ids)))


def test_a_deleted_context_is_gone(contexts: ContextService) -> None:
    record = contexts.create(OWNER)
    contexts.delete(OWNER, record.id)
    with pytest.raises(UnknownContext):
        contexts.get(OWNER, record.id)


CHANGES: list[Callable[[ContextService, str, Change], object]] = [
    lambda contexts, name, change: contexts.observe(OWNER, name, draw(1), change),
    lambda contexts, name, change: contexts.merge(OWNER, name, contexts.list(OWNER, 1).contexts[0].id, change),
    lambda contexts, name, change: contexts.delete(OWNER, name, change),
]


@pytest.mark.parametrize("make", CHANGES)
def test_a_change_to_another_version_is_refused(contexts: ContextService, make: Callable[..., object]) -> None:
    contexts.create(OWNER, ANY_CONTEXT, draw(2))
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    for version in (0, 2):
        with pytest.raises(
            VersionMismatch, match=rf"has version 1; this change is for version {version}\. Look at it .* then\.$"
        ):
            make(contexts, record.id, Change(if_version=version))
    assert contexts.get(OWNER, record.id) == record
    make(contexts, record.id, Change(if_version=1))


REPEATED: list[Callable[[ContextService, str, Change], object]] = [
    *CHANGES,
    lambda contexts, _, change: contexts.create(OWNER, ContextSpec("gd-1", decay=0.5), draw(1), change=change),
    lambda contexts, name, change: contexts.load(OWNER, _exported(contexts, name), change=change),
]
EXPORTED: dict[str, bytes] = {}


def _exported(contexts: ContextService, name: str) -> bytes:
    return EXPORTED.setdefault(name, contexts.export(OWNER, name)[0])


@pytest.mark.parametrize("make", REPEATED)
def test_a_change_under_one_key_is_made_once(
    contexts: ContextService, clock: Clock, make: Callable[..., object]
) -> None:
    contexts.create(OWNER, ANY_CONTEXT, draw(2))
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    answered = make(contexts, record.id, Change("key"))
    after = contexts.list(OWNER, 10)
    clock.now += 1
    assert make(contexts, record.id, Change("key")) == answered
    assert contexts.list(OWNER, 10) == after


@pytest.mark.parametrize("make", REPEATED)
def test_under_another_key_it_is_made_again(contexts: ContextService, make: Callable[..., object]) -> None:
    contexts.create(OWNER, ANY_CONTEXT, draw(2))
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    answered = make(contexts, record.id, Change("key"))
    try:
        assert make(contexts, record.id, Change("other")) != answered
    except UnknownContext:  # it was deleted
        assert answered is None


def test_another_request_under_the_same_key_is_a_conflict(contexts: ContextService) -> None:
    a, b = contexts.create(OWNER, ANY_CONTEXT, draw(2)), contexts.create(OWNER, ANY_CONTEXT, draw(1))
    contexts.observe(OWNER, b.id, draw(3), Change("key"))
    minus = weighed(draw(3), -1)
    others: list[Callable[[], object]] = [
        lambda: contexts.observe(OWNER, b.id, draw(4), Change("key")),
        lambda: contexts.observe(OWNER, b.id, minus, Change("key")),
        lambda: contexts.observe(OWNER, b.id, draw(3), Change("key", if_version=1)),
        lambda: contexts.observe(OWNER, a.id, draw(3), Change("key")),
        lambda: contexts.merge(OWNER, b.id, a.id, Change("key")),
        lambda: contexts.delete(OWNER, b.id, Change("key")),
        lambda: contexts.create(OWNER, ANY_CONTEXT, draw(3), change=Change("key")),
    ]
    before = contexts.list(OWNER, 10)
    for other in others:
        with pytest.raises(Conflict, match="'key' was used for another request"):
            other()
    assert contexts.list(OWNER, 10) == before


def test_keys_of_different_owners_are_different_keys(contexts: ContextService) -> None:
    assert contexts.create(OWNER, change=Change("key")) != contexts.create(OTHER_OWNER, change=Change("key"))


def test_a_key_is_remembered_for_a_day(contexts: ContextService, clock: Clock) -> None:
    record = contexts.create(OWNER, ContextSpec(ttl=10**6))
    for later, count in ((0, 7), (86_000, 7), (1000, 14)):
        clock.now += later
        contexts.sweep()
        assert contexts.observe(OWNER, record.id, draw(1), Change("key")).n_observations == count


def test_a_key_that_is_over_may_be_used_again_before_anybody_swept(contexts: ContextService, clock: Clock) -> None:
    record = contexts.create(OWNER, ContextSpec(ttl=10**6), change=Change("key"))
    clock.now += 90_000
    assert contexts.observe(OWNER, record.id, draw(1), Change("key")).n_observations == 7


@pytest.mark.parametrize("key", ["", "x" * 201, "\0", "ä", "a\nb"])
def test_a_key_is_short_and_printable(contexts: ContextService, key: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 200 printable ASCII"):
        contexts.create(OWNER, change=Change(key))


def test_many_with_one_key_at_once_count_once(contexts: ContextService) -> None:
    record = contexts.create(OWNER)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: contexts.observe(OWNER, record.id, draw(1), Change("key")), range(8)))
        made = set(pool.map(lambda _: contexts.create(OWNER, ContextSpec("gd-1"), change=Change("new")), range(8)))
    assert answers == [answers[0]] * 8
    assert contexts.get(OWNER, record.id).n_observations == 7
    assert len(made) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("model", "version"), [("linear", "2.0.0"), ("linear", "1.0.0"), ("gd-1", None)])
def test_observations_from_many_threads_and_replicas_count_exactly_once(
    database: Database, database_url: str, repository: Repository, clock: Clock, model: str, version: str | None
) -> None:
    other = Database.open(database_url)
    replicas = [keep(each, repository, clock) for each in (database, other)]
    record = replicas[0].create(OWNER, ContextSpec(model, version=version))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: replicas[i % 2].observe(OWNER, record.id, draw(i, 1 + i % 3)), range(64)))
    whole = draw(0, 1)
    for i in range(1, 64):
        whole = both(whole, draw(i, 1 + i % 3))
    after = replicas[0].get(OWNER, record.id)
    assert (after.n_observations, after.version) == (len(whole.x), 65)
    assert_close(ask(replicas[0], record), one_shot(replicas[0], whole, model, version), "prediction", rtol=1e-8)
    z = np.concatenate([whole.x, whole.y] if version == "1.0.0" else [whole.y, whole.x], axis=1)
    memory = replicas[1].repository.load(OWNER, record.id).state
    assert memory.tensors is not None
    assert memory.count == len(z)
    if model == "linear":
        assert_close(memory.tensors["state.mean"][0], z.mean(0), "mean", rtol=1e-9)
        assert_close(memory.tensors["state.comoment"][0], (z - z.mean(0)).T @ (z - z.mean(0)), "comoment", rtol=1e-9)
    other.close()


def test_merging_is_observing_both_and_leaves_the_other(contexts: ContextService) -> None:
    a, b = contexts.create(OWNER, ANY_CONTEXT, draw(1)), contexts.create(OWNER, ANY_CONTEXT, draw(2))
    merged = contexts.merge(OWNER, a.id, b.id)
    assert (merged.id, merged.n_observations, merged.version) == (a.id, 14, 2)
    assert_close(ask(contexts, merged), one_shot(contexts, both(draw(1), draw(2))), "prediction", rtol=1e-8)
    assert contexts.get(OWNER, b.id) == b


def test_what_is_not_alike_does_not_merge(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    others = {
        "has model linear, the other gd-1": contexts.create(OWNER, ContextSpec("gd-1"), draw(1)),
        "has decay None, the other 0.5": contexts.create(OWNER, ContextSpec(decay=0.5), draw(1)),
    }
    for message, other in others.items():
        with pytest.raises(Conflict, match=message):
            contexts.merge(OWNER, record.id, other.id)
    trained = [contexts.create(OWNER, ContextSpec("linear-trained")) for _ in range(2)]
    with pytest.raises(UnsupportedByModel, match="do not merge"):
        contexts.merge(OWNER, trained[0].id, trained[1].id)
    with pytest.raises(InvalidInput, match=r"is this context itself\. Name another: nothing may count twice\.$"):
        contexts.merge(OWNER, record.id, record.id)
    with pytest.raises(InvalidInput, match="do not fit"):
        contexts.merge(OWNER, record.id, contexts.create(OWNER, ANY_CONTEXT, draw(1, outputs=2)).id)


def test_merges_across_each_other_end(contexts: ContextService) -> None:
    a, b = contexts.create(OWNER, ANY_CONTEXT, draw(1)), contexts.create(OWNER, ANY_CONTEXT, draw(2))
    pairs = [(a.id, b.id), (b.id, a.id)] * 4
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pair: contexts.merge(OWNER, *pair), pairs))
    assert {contexts.get(OWNER, each.id).version for each in (a, b)} == {5}


def test_a_step_predicts_first_and_learns_then(contexts: ContextService) -> None:
    record = contexts.create(OWNER)
    stream = draw(1)
    first = step_of(contexts, OWNER, record.id, part(stream, slice(1)), QUERY)
    assert (first.prediction, first.error, first.record.n_observations) == (None, None, 1)
    for i in range(1, 7):
        new, seen = part(stream, slice(i, i + 1)), part(stream, slice(i))
        expected = contexts._predictor.predict("linear", seen, new.x).prediction
        step = step_of(contexts, OWNER, record.id, new, QUERY if i % 2 else None)
        assert step.prediction is not None
        assert step.error is not None
        asked = one_shot(contexts, seen) if i % 2 else expected
        assert_close(step.prediction.prediction, asked, "prediction", rtol=1e-6)
        assert_close(step.error, new.y - expected, "error", rtol=1e-6)
        assert step.record.n_observations == i + 1
    assert_close(ask(contexts, record), one_shot(contexts, stream), "prediction", rtol=1e-8)


def test_a_step_may_only_ask(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    step = step_of(contexts, OWNER, record.id, None, QUERY)
    assert step.record == record
    assert step.error is None
    assert step.prediction is not None
    assert_close(step.prediction.prediction, one_shot(contexts, draw(1)), "prediction", rtol=1e-8)


def test_a_step_that_cannot_answer_learns_nothing(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    with pytest.raises(InvalidInput, match="query"):
        step_of(contexts, OWNER, record.id, draw(2), QUERY[:, :4])
    assert contexts.get(OWNER, record.id) == record


def test_a_context_goes_on_with_another_file_of_its_models_version(
    contexts: ContextService, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = contexts.create(OWNER, ContextSpec("gd-1"), draw(1))
    runtime = repository.get("gd-1")
    monkeypatch.setattr(runtime, "manifest", runtime.manifest.model_copy(update={"sha256": "1" * 64}))
    assert contexts.observe(OWNER, record.id, draw(2)).n_observations == 14


def test_a_context_of_a_model_with_other_tensors_says_so(
    contexts: ContextService, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = contexts.create(OWNER, ContextSpec("gd-1"), draw(1))
    runtime, other = repository.get("gd-1"), repository.get("linear").manifest
    renamed = other.model_copy(update={"name": "gd-1", "version": runtime.manifest.version})
    monkeypatch.setattr(runtime, "manifest", renamed)
    contexts.repository._cache = LruCache()  # as in a process that has loaded the other file
    with pytest.raises(Conflict, match="another file of model gd-1"):
        contexts.observe(OWNER, record.id, draw(2))


def test_it_all_lives_in_memory_too(repository: Repository, clock: Clock) -> None:
    database = Database.open("sqlite://")
    contexts = keep(database, repository, clock)
    record = contexts.create(OWNER)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: contexts.observe(OWNER, record.id, draw(i)), range(9)))
    assert replace(contexts.get(OWNER, record.id), expires=0.0).n_observations == 63
    database.close()
