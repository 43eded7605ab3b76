"""Evaluations on the server: durable, bounded, cancellable, deterministic, and each its owner's."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from gdssm.evaluation.examination import examine
from service.errors import QuotaExceeded, UnknownEvaluation, UnknownModel
from service.evaluations.assignment import Assignment
from service.evaluations.jobs import Evaluations
from service.evaluations.ledger import EvaluationRecord, Ledger
from service.evaluations.process import Process
from service.evaluations.request import EvaluationRequest
from service.evaluations.result import view
from service.evaluations.worker import enter
from service.models.repository import Repository
from service.settings import Settings
from service.store.database import Database

ZOO = (Settings().zoo,)
SMALL = EvaluationRequest(suite="practical", models=("gd-1", "linear"), seed=3, tasks=5, queries=2, curve=(2, 3))
LONG = EvaluationRequest(suite="paper", models=("linear",), tasks=1000, curve=(10, 20))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    database = Database.open(f"sqlite:///{tmp_path}/gdssm.db")
    yield Ledger(database, most_unfinished=2, ttl=1000)
    database.close()


@pytest.fixture
def running(repository: Repository, ledger: Ledger) -> Iterator[Evaluations]:
    evaluations = Evaluations(ledger, repository, ZOO, timeout=300)
    evaluations.start()
    yield evaluations
    evaluations.stop()


def until(ledger: Ledger, evaluation_id: str, reached: Callable[[EvaluationRecord], bool]) -> EvaluationRecord:
    deadline = time.monotonic() + 300  # of patience, on a busy machine
    while time.monotonic() < deadline:
        record = ledger.get("me", evaluation_id)
        if reached(record):
            return record
        time.sleep(0.02)
    raise AssertionError(record)


def finished(record: EvaluationRecord) -> bool:
    return record.status not in {"queued", "running"}


def test_an_evaluation_gives_the_numbers_of_the_examination_itself(
    running: Evaluations, repository: Repository
) -> None:
    asked = running.ask("me", SMALL)
    record = until(running.ledger, asked.id, finished)
    assert (record.status, record.done, record.reason) == ("done", record.total, None)
    contestants = {name: enter(repository.get(name)) for name in SMALL.models}
    here = [view(result) for result in examine(SMALL.plan(), SMALL.distributions(), contestants)]
    assert running.ledger.results(asked.id) == here
    assert [result.distribution for result in here if result.refused] == []


def test_a_model_that_is_not_served_is_refused_at_once(running: Evaluations) -> None:
    with pytest.raises(UnknownModel, match="cubic"):
        running.ask("me", EvaluationRequest(models=("cubic",)))


def test_an_evaluation_that_is_cancelled_ends_soon_and_keeps_what_it_has(running: Evaluations) -> None:
    asked = running.ask("me", LONG)
    until(running.ledger, asked.id, lambda record: record.done > 0)
    assert running.ledger.cancel("me", asked.id).status == "cancelled"
    following = running.ask("me", SMALL)
    assert until(running.ledger, following.id, finished).status == "done"
    cancelled = running.ledger.get("me", asked.id)
    assert cancelled.status == "cancelled"
    assert 0 < cancelled.done < cancelled.total


class Endless:
    """A worker that always has a result."""

    def __init__(self, _: Assignment) -> None:
        """Nothing has to be started."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing has to be ended."""

    def results(self, pulse: float) -> Iterator[str]:
        while True:
            time.sleep(pulse / 50)
            yield '{"distribution": "d", "learner": "l"}'


def test_a_cancellation_is_noticed_however_fast_the_results_come(
    running: Evaluations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.evaluations.jobs.Process", Endless)
    first, second = running.ask("me", SMALL), running.ask("me", SMALL)
    until(running.ledger, first.id, lambda record: record.done > 0)
    running.ledger.cancel("me", first.id)
    until(running.ledger, second.id, lambda record: record.status == "running")


def test_an_evaluation_that_takes_too_long_fails_with_the_bound(repository: Repository, ledger: Ledger) -> None:
    evaluations = Evaluations(ledger, repository, ZOO, timeout=0.1)
    asked = evaluations.ask("me", LONG)
    evaluations.start()
    record = until(ledger, asked.id, finished)
    evaluations.stop()
    assert (record.status, record.reason) == ("failed", "It took longer than 0.1 seconds.")


def test_what_is_not_finished_when_the_service_stops_is_done_by_the_next(
    repository: Repository, ledger: Ledger
) -> None:
    first = Evaluations(ledger, repository, ZOO, timeout=300)
    asked = first.ask("me", SMALL)
    first.start()
    until(ledger, asked.id, lambda record: record.status == "running")
    first.stop()
    second = Evaluations(ledger, repository, ZOO, timeout=300)
    second.start()
    record = until(ledger, asked.id, finished)
    second.stop()
    assert (record.status, record.done) == ("done", record.total)


def test_an_evaluation_whose_process_died_is_taken_over(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ledger.add("me", SMALL, [], 1)
    assert ledger.claim("dead") is not None
    assert ledger.claim("alive") is None
    ledger.append(asked.id, 0, '{"distribution": "d", "learner": "l"}')
    monkeypatch.setattr("service.evaluations.ledger.SILENCE", -1.0)
    taken = ledger.claim("alive")
    assert taken is not None
    assert taken.done == 0
    assert not ledger.still_mine(asked.id, "dead")
    assert ledger.still_mine(asked.id, "alive")


def test_owners_take_turns_however_much_one_of_them_asks_for(database: Database) -> None:
    ledger, owners = Ledger(database, most_unfinished=5, ttl=1000), ("me", "me", "me", "you", "you")
    asked = {ledger.add(owner, SMALL, [], 1).id: owner for owner in owners}
    claimed = []
    while record := ledger.claim("worker"):
        claimed.append(record.id)
        ledger.finish(record.id, None)
        time.sleep(0.01)  # on the clock of the ledger
    assert [asked[one] for one in claimed] == ["me", "you", "me", "you", "me"]
    assert [one for one in claimed if asked[one] == "me"] == [one for one, owner in asked.items() if owner == "me"]


def test_a_worker_that_breaks_is_told_with_its_last_word() -> None:
    assignment = Assignment(request=SMALL, directories=ZOO, versions={"gd-1": "0.0.0"})
    with Process(assignment) as process:
        assert list(process.results(60)) == []
        assert "0.0.0" in str(process.failure())


def test_evaluations_are_their_owner_s(ledger: Ledger) -> None:
    mine = ledger.add("me", SMALL, [], 1)
    assert [record.id for record in ledger.page("me", 10)] == [mine.id]
    assert ledger.page("you", 10) == []
    for forbidden in (ledger.get, ledger.cancel):
        with pytest.raises(UnknownEvaluation):
            forbidden("you", mine.id)


def test_an_owner_may_have_so_many_unfinished_and_no_more(ledger: Ledger) -> None:
    first, _ = (ledger.add("me", SMALL, [], 1) for _ in range(2))
    with pytest.raises(
        QuotaExceeded, match=r"at most 2 .*GDSSM_MAX_EVALUATIONS\)\. Wait for one to end, or cancel one\.$"
    ):
        ledger.add("me", SMALL, [], 1)
    ledger.add("you", SMALL, [], 1)
    ledger.cancel("me", first.id)
    ledger.add("me", SMALL, [], 1)


def test_evaluations_are_listed_in_the_order_of_asking(ledger: Ledger) -> None:
    ids = [ledger.add(owner, SMALL, [], 1).id for owner in ("me", "you", "me")]
    assert [record.id for record in ledger.page("me", 1)] == ids[:1]
    assert [record.id for record in ledger.page("me", 5, after=ids[0])] == ids[2:]


def test_what_is_over_its_time_goes_with_its_results(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/gdssm.db")
    ledger = Ledger(database, most_unfinished=5, ttl=-1)
    old = ledger.add("me", SMALL, [], 1)
    ledger.append(old.id, 0, '{"distribution": "d", "learner": "l"}')
    ledger.add("me", SMALL, [], 1)
    with pytest.raises(UnknownEvaluation):
        ledger.get("me", old.id)
    assert ledger.results(old.id) == []
    database.close()
