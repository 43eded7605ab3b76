"""Observations for many contexts in one transaction: as single requests, in their order, with errors apart."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.contexts.records import Change, ContextRecord
from service.contexts.requests import ContextSpec, ObserveRequest
from service.contexts.service import ContextService
from service.errors import Conflict, InvalidInput, PrecisionLoss, ServiceError, UnknownContext, VersionMismatch
from service.inference.predictor import Observations
from service.registry.repository import Repository
from service.store.database import Database
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.service.kept import OTHER_OWNER, OWNER, Clock, draw, keep, part, weighed


def exported(contexts: ContextService, record: ContextRecord) -> bytes:
    return contexts.export(OWNER, record.id)[0]


def asked(
    record: ContextRecord,
    new: Observations,
    key: str | None = None,
    version: int | None = None,
    *,
    owner: str = OWNER,
    allow: bool = False,
) -> ObserveRequest:
    return ObserveRequest(owner, record.id, new, Change(key, version), allow)


def records(results: Sequence[ContextRecord | ServiceError]) -> list[ContextRecord]:
    assert all(isinstance(result, ContextRecord) for result in nonempty(results)), results
    return [result for result in results if isinstance(result, ContextRecord)]


@pytest.mark.parametrize("model", ["linear", "nonlinear", "gd-1"])
@pytest.mark.parametrize("decay", [None, 0.9])
def test_batch_leaves_contexts_as_single_requests_do(contexts: ContextService, model: str, decay: float | None) -> None:
    batched, single = ([contexts.create(OWNER, ContextSpec(model, decay=decay)) for _ in range(3)] for _ in range(2))
    parts = [draw(seed, 1 + seed % 4) for seed in range(30)]
    found = records(contexts.observe_many([asked(batched[i % 3], new) for i, new in enumerate(parts)]))
    for i, new in enumerate(nonempty(parts)):
        alone = contexts.observe(OWNER, single[i % 3].id, new)
        assert (found[i].version, found[i].n_observations) == (alone.version, alone.n_observations)
    for one, other in nonempty(list(zip(batched, single, strict=True))):
        assert exported(contexts, one) == exported(contexts, other)


def test_empty_batch_is_no_change(contexts: ContextService) -> None:
    assert contexts.observe_many([]) == []


def test_errors_are_results_and_change_nothing_else(contexts: ContextService) -> None:
    one, other = contexts.create(OWNER, ContextSpec("linear")), contexts.create(OWNER, ContextSpec("linear"), draw(1))
    foreign = contexts.create(OTHER_OWNER, ContextSpec("linear"))
    before = exported(contexts, other)
    results = contexts.observe_many(
        [
            asked(one, draw(2)),
            asked(other, draw(3, inputs=2)),
            asked(foreign, draw(2)),
            asked(replace(one, id="no id"), draw(2)),
            asked(other, draw(2), version=7),
            asked(other, draw(2), key="é"),
            asked(other, weighed(part(draw(3), slice(1)), 1e20)),
            asked(one, draw(4), version=2),
        ]
    )
    kinds = [InvalidInput, UnknownContext, UnknownContext, VersionMismatch, InvalidInput, PrecisionLoss]
    assert [type(result) for result in results] == [ContextRecord, *kinds, ContextRecord]
    assert exported(contexts, other) == before
    assert contexts.get(OWNER, one.id).version == 3
    assert contexts.get(OTHER_OWNER, foreign.id).version == 1


def test_keys_are_shared_with_single_requests(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ContextSpec("linear"))
    alone = contexts.observe(OWNER, record.id, draw(1), Change("first"))
    batch = [asked(record, draw(1), "first"), asked(record, draw(2), "second"), asked(record, draw(3))]
    found = records(contexts.observe_many(batch))
    assert found[0] == alone
    assert [one.version for one in found] == [2, 3, 4]
    assert contexts.observe(OWNER, record.id, draw(2), Change("second")) == found[1]
    again = records(contexts.observe_many(batch[:2]))
    assert (again, contexts.get(OWNER, record.id).version) == (found[:2], 4)


def test_key_of_another_request_is_a_conflict_within_a_batch_and_across(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ContextSpec("linear"))
    first, second, third = contexts.observe_many(
        [asked(record, draw(1), "key"), asked(record, draw(2), "key"), asked(record, draw(1), "key")]
    )
    assert isinstance(second, Conflict)
    assert first == third
    assert isinstance(contexts.observe_many([asked(record, draw(2), "key")])[0], Conflict)
    assert contexts.get(OWNER, record.id).version == 2


def test_failed_request_releases_its_key(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ContextSpec("linear"), draw(1))
    wrong, right = contexts.observe_many([asked(record, draw(2, inputs=2), "key"), asked(record, draw(2), "key")])
    assert isinstance(wrong, InvalidInput)
    assert isinstance(right, ContextRecord)
    (other,) = contexts.observe_many([asked(record, draw(2, inputs=2), "other")])
    assert isinstance(other, InvalidInput)
    assert contexts.observe(OWNER, record.id, draw(3), Change("other")).version == 3


def mixed_requests(ids: list[str], generator: np.random.Generator) -> list[ObserveRequest]:
    """Requests of every kind, of which some fail and some repeat earlier ones."""
    requests: list[ObserveRequest] = []
    for number in range(60):
        if requests and generator.random() < 0.1:
            requests.append(requests[generator.integers(len(requests))])
            continue
        new = draw(int(generator.integers(10**6)), int(generator.integers(1, 4)))
        if generator.random() < 0.2:
            new = weighed(new, generator.choice([2.0, 0.0, -1.0]))
        if generator.random() < 0.1:
            new = new._replace(x=new.x * 1e15)
        if generator.random() < 0.1:
            new = new._replace(x=new.x[:, :3])
        key = f"key {generator.integers(20)}" if generator.random() < 0.4 else None
        version = int(generator.integers(1, 9)) if generator.random() < 0.1 else None
        request = ObserveRequest(OWNER, ids[generator.integers(len(ids))], new, Change(key, version))
        requests.append(replace(request, allow_precision_loss=bool(number % 2)))
    return requests


def single(contexts: ContextService, request: ObserveRequest) -> ContextRecord | ServiceError:
    allow = request.allow_precision_loss
    try:
        return contexts.observe(OWNER, request.context_id, request.new, request.change, allow_precision_loss=allow)
    except ServiceError as error:
        return error


def shown(result: ContextRecord | ServiceError) -> tuple[object, ...]:
    if isinstance(result, ServiceError):
        return type(result), str(result)
    return result.version, result.n_observations, result.columns


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_any_batch_is_its_requests_one_by_one(repository: Repository, tmp_path: Path, model: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    both = [keep(Database.open(f"sqlite:///{tmp_path}/{name}.db"), repository, Clock()) for name in ("one", "other")]
    batched, alone = both
    ids = [batched.create(OWNER, ContextSpec(model), draw(number, 40 * (number % 3 > 0) + 1)).id for number in range(6)]
    copied = {name: alone.load(OWNER, batched.export(OWNER, name)[0]).id for name in ids}
    requests = mixed_requests(ids, generator)
    found, start = [], 0
    while start < len(requests):  # in batches of several sizes
        end = start + int(generator.integers(1, 30))
        found += batched.observe_many(requests[start:end])
        start = end
    expected = [single(alone, replace(request, context_id=copied[request.context_id])) for request in requests]
    assert list(map(shown, found)) == list(map(shown, expected))
    for name in nonempty(ids):
        one, other = (
            service.repository.load(OWNER, context).state
            for service, context in ((batched, name), (alone, copied[name]))
        )
        assert replace(one, tensors=None, history=None) == replace(other, tensors=None, history=None)
        for tensor in nonempty(list(one.tensors or {})):
            assert_close((one.tensors or {})[tensor], (other.tensors or {})[tensor], tensor, rtol=1e-10)


def test_overlapping_batches_in_any_order_do_not_lock_each_other_out(
    contexts: ContextService, database: Database, repository: Repository
) -> None:
    ids = [contexts.create(OWNER, ContextSpec("linear"), draw(1)).id for _ in range(12)]
    others = [keep(database, repository, Clock()) for _ in range(4)]

    def work(number: int) -> int:
        generator = np.random.default_rng(number)
        for _ in range(8):
            order = generator.permutation(12)
            batch = [
                ObserveRequest(OWNER, ids[place], draw(int(place), 1), Change(f"{place} {generator.integers(10**9)}"))
                for place in order
            ]
            records(others[number].observe_many(batch))
        return 8 * 12

    with ThreadPoolExecutor(4) as threads:
        learnt = sum(threads.map(work, range(4)))
    assert sum(contexts.get(OWNER, context).n_observations - 7 for context in ids) == learnt
    assert {contexts.get(OWNER, context).version for context in nonempty(ids)} == {33}


def test_same_keys_in_overlapping_batches_count_once(
    contexts: ContextService, database: Database, repository: Repository
) -> None:
    ids = [contexts.create(OWNER, ContextSpec("linear"), draw(1)).id for _ in range(6)]
    others = [keep(database, repository, Clock()) for _ in range(4)]
    batch = [ObserveRequest(OWNER, context, draw(2, 1), Change(f"key of {context}")) for context in ids]

    def work(number: int) -> set[tuple[str, int]]:
        mine = [batch[place] for place in np.random.default_rng(number).permutation(6)]
        return {(record.id, record.version) for record in records(others[number].observe_many(mine))}

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(work, range(4)))
    assert answers == [{(context, 2) for context in ids}] * 4
