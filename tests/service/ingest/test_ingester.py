"""Every entry is learnt once, whatever happens around its transaction."""

from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread

import numpy as np
import pytest
from sqlalchemy import Connection

from service.contexts.service import ContextService
from service.errors import DatabaseUnavailable, InvalidInput, QuotaExceeded, SourceUnavailable
from service.inference.predictor import Observations
from service.ingest import ingester as ingesting
from service.ingest.columns import EntryColumns
from service.ingest.destination import Destination
from service.ingest.encoding import EncodedEntries
from service.ingest.ingester import Ingester, Progress
from service.ingest.offsets import OffsetStore
from service.ingest.source import LogEntry
from service.store.database import Database
from service.tables.schema import TableSchema
from tests.service.ingest.conftest import Start
from tests.service.ingest.streams import MemorySource, by_name, counts, counts_of, drain, readings
from tests.service.kept import OWNER, Clock


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "RETRY_INTERVAL", 0.01)
    monkeypatch.setattr(ingesting, "POLL_INTERVAL", 0.01)


def test_every_entry_is_learnt_by_the_context_of_its_name(start: Start, contexts: ContextService) -> None:
    rows = readings(0, 70)
    progress = drain(start(MemorySource(rows), batch=16))
    assert (progress.entries, progress.learnt, progress.refused) == (70, 70, 0)
    assert progress.positions == {"readings": "70"}
    assert counts(contexts) == counts_of(rows)


def test_a_second_run_reads_on_from_the_stored_offset(start: Start, contexts: ContextService) -> None:
    rows = readings(0, 40)
    source = MemorySource(rows[:25])
    drain(start(source, batch=7))
    assert drain(start(source)).entries == 0
    source.add(*rows[25:])
    assert drain(start(source)).entries == 15
    assert counts(contexts) == counts_of(rows)


def test_a_stream_that_was_never_read_begins_at_its_end(start: Start, contexts: ContextService) -> None:
    rows = readings(0, 20)
    source = MemorySource(rows[:12])
    assert drain(start(source, from_start=False)).entries == 0
    source.add(*rows[12:])
    drain(start(source, from_start=True))  # it was read before: the stored offset counts
    assert counts(contexts) == counts_of(rows[12:])


def test_consumers_read_independently(start: Start, contexts: ContextService) -> None:
    rows = readings(0, 9)
    for consumer in ("one", "other"):
        drain(start(MemorySource(rows), consumer=consumer))
    assert counts(contexts) == {name: 2 * count for name, count in counts_of(rows).items()}


def test_streams_with_the_same_positions_are_told_apart(start: Start, contexts: ContextService) -> None:
    rows = readings(0, 30)
    one, other = MemorySource(rows[:15], "one"), MemorySource(rows[15:], "other")
    progress = drain(start(one, other, batch=4))
    assert progress.positions == {"one": "15", "other": "15"}
    assert counts(contexts) == counts_of(rows)


def test_a_stream_named_twice_is_refused(start: Start) -> None:
    with pytest.raises(InvalidInput, match="twice"):
        start(MemorySource(), MemorySource())


def test_other_columns_under_the_same_consumer_are_refused(start: Start) -> None:
    source = MemorySource(readings(0, 5))
    drain(start(source))
    for columns in (EntryColumns("device", "temp"), EntryColumns("device", "power", ("temp",))):
        with pytest.raises(InvalidInput, match="another consumer"):
            drain(start(source, columns=columns))


@pytest.mark.parametrize("failing", ["learn", "move", "commit"])
def test_a_failure_of_the_database_counts_nothing_twice(
    failing: str,
    start: Start,
    contexts: ContextService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, failures = readings(0, 50), iter([True, False, True, True])

    def fail() -> None:
        if next(failures, False):
            raise DatabaseUnavailable("The database does not answer.")

    if failing == "learn":
        monkeypatch.setattr(Destination, "learn", then(Destination.learn, fail))
    elif failing == "move":
        monkeypatch.setattr(OffsetStore, "move", then(OffsetStore.move, fail))
    else:
        monkeypatch.setattr(Ingester, "_note", then(Ingester._note, fail))  # as if the answer to COMMIT was lost
    drain(start(MemorySource(rows), batch=8))
    assert counts(contexts) == counts_of(rows)


def then(method: Callable[..., object], fail: Callable[[], None]) -> Callable[..., object]:
    """Fail after a method."""

    def call(*given: object, **named: object) -> object:
        found = method(*given, **named)
        fail()
        return found

    return call


def test_a_log_that_does_not_answer_is_read_again(start: Start, contexts: ContextService) -> None:
    rows, answers = readings(0, 20), iter([True, False, False, True])

    class Failing(MemorySource):
        def read(self, after: str | None, count: int) -> list[LogEntry]:
            if not next(answers, True):
                raise SourceUnavailable("The log does not answer.")
            return super().read(after, count)

    drain(start(Failing(rows), batch=6))
    assert counts(contexts) == counts_of(rows)


def test_two_ingesters_of_one_consumer_learn_every_entry_once(start: Start, contexts: ContextService) -> None:
    rows = readings(0, 200)
    found = list[Progress]()
    both = [start(MemorySource(rows), batch=5) for _ in range(2)]
    threads = [Thread(target=lambda one=one: found.append(drain(one))) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(progress.entries for progress in found) == len(rows)
    assert counts(contexts) == counts_of(rows)


def test_another_ingester_in_between_makes_a_batch_unused(start: Start, contexts: ContextService) -> None:
    rows = readings(0, 30)
    source = MemorySource(rows)
    late = start(source, batch=10)
    late.step(source)
    drain(start(source))
    assert late.step(source)
    assert not late.step(source)
    assert late.progress.entries == 10
    assert counts(contexts) == counts_of(rows)


def test_a_stopped_run_ends_after_its_batch(start: Start, contexts: ContextService) -> None:
    stop, ingester = Event(), start(MemorySource(readings(0, 30)), batch=10)
    progress = ingester.run(stop, report=lambda _: stop.set())
    assert progress.entries == 10
    assert sum(counts(contexts).values()) == 10


def test_bad_entries_are_counted_and_the_others_learnt(
    start: Start, contexts: ContextService, database: Database
) -> None:
    rows = readings(0, 12)
    lacking, unreadable = {"device": "d0", "power": "1"}, LogEntry("4", {}, "is not valid JSON.")
    words, gap = {**rows[0], "temp": "warm"}, {**rows[0], "power": ""}
    source = MemorySource([words, lacking, {}, unreadable, gap, *rows])
    progress = drain(start(source, columns=EntryColumns("device", "power", ("temp", "humidity"))))
    assert (progress.learnt, progress.refused) == (12, 5)
    assert counts(contexts) == counts_of(rows)
    with database.reading() as connection:
        offset = OffsetStore(OWNER, "gdssm", float).find(connection, "readings")
    assert offset is not None
    assert (offset.position, offset.entries, offset.refused) == ("17", 17, 5)


def test_entries_that_are_all_bad_move_the_offset(start: Start, contexts: ContextService) -> None:
    source = MemorySource([{"device": "d0"}, {}, {"power": 1}])
    progress = drain(start(source, batch=2))
    assert (progress.entries, progress.refused, counts(contexts)) == (3, 3, {})
    source.add(*readings(0, 4))
    assert drain(start(source)).learnt == 4


def test_a_quota_stops_the_run_and_loses_no_entry(
    start: Start, contexts: ContextService, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = readings(0, 40, devices=20)
    source = MemorySource(rows)
    monkeypatch.setattr(contexts.repository, "_max_contexts", 5)
    with pytest.raises(QuotaExceeded):
        drain(start(source))
    assert counts(contexts) == {}
    monkeypatch.setattr(contexts.repository, "_max_contexts", 100)
    drain(start(source))
    assert counts(contexts) == counts_of(rows)


def test_a_deleted_context_is_made_again(start: Start, contexts: ContextService) -> None:
    source = MemorySource(readings(0, 10, devices=1))
    ingester = start(source)
    drain(ingester)
    (record,) = contexts.list(OWNER, 10).contexts
    contexts.delete(OWNER, record.id)
    source.add(*readings(1, 3, devices=1))
    drain(ingester)
    assert counts(contexts) == {"d0": 3}


def test_an_expired_context_is_made_again(start: Start, contexts: ContextService, clock: Clock) -> None:
    source = MemorySource(readings(0, 10, devices=2))
    ingester = start(source)
    drain(ingester)
    clock.now += 2000
    assert counts(contexts) == {}
    later = readings(1, 6, devices=2)
    source.add(*later)
    drain(ingester)
    assert counts(contexts) == counts_of(later)


@pytest.mark.slow
def test_other_writers_of_the_same_contexts_lose_nothing(start: Start, contexts: ContextService) -> None:
    """Two ingesters of different streams, and single observations, on the same contexts in different orders."""
    rows = readings(0, 400, devices=8)
    drain(start(MemorySource(rows[:8], "first")))
    ids = {name: record.id for name, record in by_name(contexts).items()}
    failures = list[BaseException]()

    def observe() -> None:
        try:
            for _ in range(10):
                for context_id in reversed(ids.values()):
                    contexts.observe(OWNER, context_id, Observations(np.ones((1, 2)), np.ones(1)))
        except BaseException as error:  # noqa: BLE001  (reported below)
            failures.append(error)

    ingesters = [
        start(MemorySource(part, str(number)), batch=9) for number, part in enumerate([rows[8:200], rows[:199:-1]])
    ]
    threads = [Thread(target=observe), *(Thread(target=drain, args=[one]) for one in ingesters)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    expected = {name: count + 10 * (name in ids) for name, count in counts_of(rows).items()}
    assert counts(contexts) == expected


def test_a_transaction_that_fails_writes_no_context(
    start: Start, contexts: ContextService, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = Destination.learn

    def fail(self: Destination, connection: Connection, schema: TableSchema, rows: EncodedEntries) -> object:
        learn(self, connection, schema, rows)
        raise ZeroDivisionError

    monkeypatch.setattr(Destination, "learn", fail)
    with pytest.raises(ZeroDivisionError):
        drain(start(MemorySource(readings(0, 10))))
    assert counts(contexts) == {}


class Counting(MemorySource):
    """Notes how many entries are asked for."""

    def __init__(self, rows: Sequence[Mapping[str, object]]) -> None:
        super().__init__(rows)
        self.sizes = list[int]()

    def read(self, after: str | None, count: int) -> list[LogEntry]:
        self.sizes.append(count)
        return super().read(after, count)


def test_long_transactions_are_followed_by_shorter_ones(
    start: Start, contexts: ContextService, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = readings(0, 70)
    source = Counting(rows)
    monkeypatch.setattr(ingesting, "TRANSACTION_SECONDS", 0.0)
    drain(start(source, batch=32))
    assert source.sizes[:6] == [32, 16, 8, 4, 2, 1]
    assert counts(contexts) == counts_of(rows)


def test_short_transactions_are_followed_by_longer_ones(
    start: Start, contexts: ContextService, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = readings(0, 70)
    source = Counting(rows)
    monkeypatch.setattr(ingesting, "FIRST_BATCH", 3)
    monkeypatch.setattr(ingesting, "TRANSACTION_SECONDS", 1e9)
    drain(start(source, batch=20))
    assert source.sizes[:5] == [3, 6, 12, 20, 20]
    assert counts(contexts) == counts_of(rows)
