"""Evaluations on the server: durable, bounded, cancellable, deterministic, and each its owner's."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from gdssm.evaluation.evaluate import evaluate
from service.errors import QuotaExceeded, UnknownEvaluation, UnknownModel
from service.evaluations.job_store import HEARTBEAT_TIMEOUT, JobStore
from service.evaluations.jobs import EvaluationQueue
from service.evaluations.process import JobSpec, WorkerProcess
from service.evaluations.request import EvaluationRequest
from service.evaluations.result import view
from service.evaluations.worker import enter
from service.registry.repository import Repository
from service.schemas.evaluations import EvaluationAnswer
from service.settings import Settings
from service.store.database import Database

ZOO = (Settings().zoo,)
SMALL = EvaluationRequest(suite="tables", models=("gd-1", "linear"), seed=3, tasks=5, queries=2, curve=(2,))
LONG = EvaluationRequest(suite="paper", models=("linear",), tasks=1000, curve=(10, 20))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    database = Database.open(f"sqlite:///{tmp_path}/gdssm.db")
    yield JobStore(database, unfinished_limit=2, ttl=1000)
    database.close()


@pytest.fixture
def running(repository: Repository, store: JobStore) -> Iterator[EvaluationQueue]:
    evaluations = EvaluationQueue(store, repository, ZOO, timeout=300)
    evaluations.start()
    yield evaluations
    evaluations.stop()


def until(store: JobStore, evaluation_id: str, reached: Callable[[EvaluationAnswer], bool]) -> EvaluationAnswer:
    deadline = time.monotonic() + 300  # seconds, for a busy machine
    while time.monotonic() < deadline:
        record = store.get("me", evaluation_id)
        if reached(record):
            return record
        time.sleep(0.02)
    raise AssertionError(record)


def finished(record: EvaluationAnswer) -> bool:
    return record.status not in {"queued", "running"}


@pytest.mark.slow
def test_an_evaluation_has_the_numbers_of_gdssm_evaluate(running: EvaluationQueue, repository: Repository) -> None:
    asked = running.submit("me", SMALL)
    record = until(running.store, asked.id, finished)
    assert (record.status, record.done, record.reason) == ("done", record.total, None)
    candidates = {name: enter(repository.get(name)) for name in SMALL.models}
    here = [view(result) for result in evaluate(SMALL.plan(), SMALL.distributions(), candidates)]
    assert running.store.results(asked.id) == here
    assert [result.distribution for result in here if result.refused] == []


@pytest.mark.slow
def test_unknown_model_is_refused_on_submission(running: EvaluationQueue) -> None:
    with pytest.raises(UnknownModel, match="cubic"):
        running.submit("me", EvaluationRequest(models=("cubic",)))


@pytest.mark.slow
def test_cancelled_job_ends_soon_and_keeps_its_results(running: EvaluationQueue) -> None:
    asked = running.submit("me", LONG)
    until(running.store, asked.id, lambda record: record.done > 0)
    assert running.store.cancel("me", asked.id).status == "cancelled"
    following = running.submit("me", SMALL)
    assert until(running.store, following.id, finished).status == "done"
    cancelled = running.store.get("me", asked.id)
    assert cancelled.status == "cancelled"
    assert 0 < cancelled.done < cancelled.total


class Endless:
    """A worker that always has a result."""

    def __init__(self, _: JobSpec) -> None:
        """Nothing has to be started."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing has to be ended."""

    def results(self, pulse: float) -> Iterator[str]:
        while True:
            time.sleep(pulse / 50)
            yield '{"distribution": "d", "learner": "l"}'


def test_cancellation_is_noticed_between_fast_results(
    running: EvaluationQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.evaluations.jobs.WorkerProcess", Endless)
    first, second = running.submit("me", SMALL), running.submit("me", SMALL)
    until(running.store, first.id, lambda record: record.done > 0)
    running.store.cancel("me", first.id)
    until(running.store, second.id, lambda record: record.status == "running")


def test_job_over_its_timeout_fails(repository: Repository, store: JobStore) -> None:
    evaluations = EvaluationQueue(store, repository, ZOO, timeout=0.1)
    asked = evaluations.submit("me", LONG)
    evaluations.start()
    record = until(store, asked.id, finished)
    evaluations.stop()
    assert (record.status, record.reason) == ("failed", "It took longer than 0.1 seconds.")


@pytest.mark.slow
def test_unfinished_job_is_run_by_the_next_service(repository: Repository, store: JobStore) -> None:
    first = EvaluationQueue(store, repository, ZOO, timeout=300)
    asked = first.submit("me", SMALL)
    first.start()
    until(store, asked.id, lambda record: record.status == "running")
    first.stop()
    second = EvaluationQueue(store, repository, ZOO, timeout=300)
    second.start()
    record = until(store, asked.id, finished)
    second.stop()
    assert (record.status, record.done) == ("done", record.total)


def test_long_poll_interval_does_not_delay_heartbeats(repository: Repository, store: JobStore) -> None:
    queue = EvaluationQueue(store, repository, ZOO, timeout=300, poll_interval=3600)
    assert queue._heartbeat_interval < HEARTBEAT_TIMEOUT / 2


def test_job_without_heartbeat_is_taken_over(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = store.add("me", SMALL, [], 1)
    assert store.claim("dead") is not None
    assert store.claim("alive") is None
    store.append(asked.id, 0, '{"distribution": "d", "learner": "l"}')
    monkeypatch.setattr("service.evaluations.job_store.HEARTBEAT_TIMEOUT", -1.0)
    taken = store.claim("alive")
    assert taken is not None
    assert taken.done == 0
    assert not store.heartbeat(asked.id, "dead")
    assert store.heartbeat(asked.id, "alive")


def test_owners_take_turns(database: Database) -> None:
    store, owners = JobStore(database, unfinished_limit=5, ttl=1000), ("me", "me", "me", "you", "you")
    asked = {store.add(owner, SMALL, [], 1).id: owner for owner in owners}
    claimed = []
    while record := store.claim("worker"):
        claimed.append(record.id)
        store.finish(record.id, None)
        time.sleep(0.01)  # on the clock of the store
    assert [asked[one] for one in claimed] == ["me", "you", "me", "you", "me"]
    assert [one for one in claimed if asked[one] == "me"] == [one for one, owner in asked.items() if owner == "me"]


@pytest.mark.slow
def test_worker_failure_has_the_last_line_of_stderr() -> None:
    spec = JobSpec(request=SMALL, directories=ZOO, versions={"gd-1": "0.0.0"})
    with WorkerProcess(spec) as process:
        assert list(process.results(60)) == []
        assert "0.0.0" in str(process.failure())


def test_evaluations_belong_to_their_owner(store: JobStore) -> None:
    mine = store.add("me", SMALL, [], 1)
    assert [record.id for record in store.page("me", 10)] == [mine.id]
    assert store.page("you", 10) == []
    for forbidden in (store.get, store.cancel):
        with pytest.raises(UnknownEvaluation):
            forbidden("you", mine.id)


def test_unfinished_evaluations_are_limited_per_owner(store: JobStore) -> None:
    first, _ = (store.add("me", SMALL, [], 1) for _ in range(2))
    with pytest.raises(
        QuotaExceeded, match=r"at most 2 .*GDSSM_MAX_EVALUATIONS\)\. Wait for one to end, or cancel one\.$"
    ):
        store.add("me", SMALL, [], 1)
    store.add("you", SMALL, [], 1)
    store.cancel("me", first.id)
    store.add("me", SMALL, [], 1)


def test_evaluations_are_listed_oldest_first(store: JobStore) -> None:
    ids = [store.add(owner, SMALL, [], 1).id for owner in ("me", "you", "me")]
    assert [record.id for record in store.page("me", 1)] == ids[:1]
    assert [record.id for record in store.page("me", 5, after=ids[0])] == ids[2:]


def test_expired_evaluations_are_deleted_with_their_results(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/gdssm.db")
    store = JobStore(database, unfinished_limit=5, ttl=-1)
    old = store.add("me", SMALL, [], 1)
    store.append(old.id, 0, '{"distribution": "d", "learner": "l"}')
    store.add("me", SMALL, [], 1)
    with pytest.raises(UnknownEvaluation):
        store.get("me", old.id)
    assert store.results(old.id) == []
    database.close()
