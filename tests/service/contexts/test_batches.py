"""Observations for many contexts in one transaction: as single requests, in their order, with errors apart."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from service.contexts.records import Change, ContextRecord
from service.contexts.requests import ObserveRequest
from service.contexts.service import ContextService
from service.errors import Conflict, InvalidInput, PrecisionLoss, ServiceError, UnknownContext, VersionMismatch
from service.inference.predictor import Observations
from tests.nonempty import nonempty
from tests.service.kept import OTHER_OWNER, OWNER, draw, part, weighed


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
    batched, single = ([contexts.create(OWNER, model, decay=decay) for _ in range(3)] for _ in range(2))
    parts = [draw(seed, 1 + seed % 4) for seed in range(30)]
    found = records(contexts.observe_many([asked(batched[i % 3], new) for i, new in enumerate(parts)]))
    for i, new in enumerate(parts):
        alone = contexts.observe(OWNER, single[i % 3].id, new)
        assert (found[i].version, found[i].n_observations) == (alone.version, alone.n_observations)
    for one, other in nonempty(list(zip(batched, single, strict=True))):
        assert exported(contexts, one) == exported(contexts, other)


def test_empty_batch_is_no_change(contexts: ContextService) -> None:
    assert contexts.observe_many([]) == []


def test_errors_are_results_and_change_nothing_else(contexts: ContextService) -> None:
    one, other = contexts.create(OWNER, "linear"), contexts.create(OWNER, "linear", draw(1))
    foreign = contexts.create(OTHER_OWNER, "linear")
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
    record = contexts.create(OWNER, "linear")
    alone = contexts.observe(OWNER, record.id, draw(1), Change("first"))
    batch = [asked(record, draw(1), "first"), asked(record, draw(2), "second"), asked(record, draw(3))]
    found = records(contexts.observe_many(batch))
    assert found[0] == alone
    assert [one.version for one in found] == [2, 3, 4]
    assert contexts.observe(OWNER, record.id, draw(2), Change("second")) == found[1]
    again = records(contexts.observe_many(batch[:2]))
    assert (again, contexts.get(OWNER, record.id).version) == (found[:2], 4)


def test_key_of_another_request_is_a_conflict_within_a_batch_and_across(contexts: ContextService) -> None:
    record = contexts.create(OWNER, "linear")
    first, second, third = contexts.observe_many(
        [asked(record, draw(1), "key"), asked(record, draw(2), "key"), asked(record, draw(1), "key")]
    )
    assert isinstance(second, Conflict)
    assert first == third
    assert isinstance(contexts.observe_many([asked(record, draw(2), "key")])[0], Conflict)
    assert contexts.get(OWNER, record.id).version == 2


def test_failed_request_releases_its_key(contexts: ContextService) -> None:
    record = contexts.create(OWNER, "linear", draw(1))
    wrong, right = contexts.observe_many([asked(record, draw(2, inputs=2), "key"), asked(record, draw(2), "key")])
    assert isinstance(wrong, InvalidInput)
    assert isinstance(right, ContextRecord)
    (other,) = contexts.observe_many([asked(record, draw(2, inputs=2), "other")])
    assert isinstance(other, InvalidInput)
    assert contexts.observe(OWNER, record.id, draw(3), Change("other")).version == 3
