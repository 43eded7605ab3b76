"""Notices of changes between processes of one PostgreSQL database."""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

import psycopg
import pytest

from service.store import notices
from service.store.database import Database
from tests.pgbouncer import PgBouncer
from tests.postgres import Postgres

TIMEOUT = 60.0


class Process:
    """A process on a database, with the changes that it hears of."""

    def __init__(self, url: str) -> None:
        self.database = Database.open(url)
        self.heard: list[Collection[str] | None] = []
        self.news = threading.Condition()
        self.database.subscribe(self._hear)
        self.database.exchange_notices()

    def change(self, *contexts: str) -> None:
        with self.database.transaction() as connection:
            for context in contexts:
                self.database.note_change(connection, context)

    def wait_for(self, heard: Callable[[list[Collection[str] | None]], bool]) -> None:
        with self.news:
            assert self.news.wait_for(lambda: heard(self.heard), TIMEOUT), self.heard

    def listen(self) -> None:
        assert self.database._notices is not None
        assert self.database._notices.listening.wait(TIMEOUT)

    def _hear(self, changed: Collection[str] | None) -> None:
        with self.news:
            self.heard.append(None if changed is None else sorted(changed))
            self.news.notify_all()


@pytest.fixture
def processes(postgres: Postgres) -> Iterator[list[Process]]:
    url = postgres.empty_database()
    processes = [Process(url) for _ in range(2)]
    for process in processes:
        process.listen()
    yield processes
    for process in processes:
        process.database.close()


def test_a_change_is_heard_here_at_once_and_elsewhere_soon(processes: list[Process]) -> None:
    one, other = processes
    one.change("a", "b")
    assert one.heard == [None, ["a", "b"]]
    other.wait_for(lambda heard: ["a", "b"] in heard)
    time.sleep(0.1)
    assert one.heard == [None, ["a", "b"]], "its own notice is no news"


def test_a_change_that_is_rolled_back_is_not_announced(processes: list[Process]) -> None:
    one, other = processes
    with suppress(ZeroDivisionError), one.database.transaction() as connection:
        one.database.note_change(connection, "a")
        raise ZeroDivisionError
    one.change("b")
    other.wait_for(lambda heard: ["b"] in heard)
    assert one.heard == [None, ["b"]]
    assert other.heard == [None, ["b"]]


def test_many_changes_are_sent_in_several_notices(processes: list[Process]) -> None:
    one, other = processes
    contexts = [f"{number:032x}" for number in range(2 * notices.IDS_LIMIT + 1)]
    one.change(*contexts)
    other.wait_for(lambda heard: sum(len(ids or ()) for ids in heard) == len(contexts))
    assert sorted(name for ids in other.heard for name in ids or ()) == contexts


def test_a_lost_connection_is_opened_again_and_all_may_have_changed(
    processes: list[Process], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(notices, "RECONNECT_SECONDS", 0.05)
    one, other = processes
    url = one.database._engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    other.wait_for(lambda heard: heard.count(None) == 2)
    one.wait_for(lambda heard: heard.count(None) == 2)
    for process in processes:
        process.listen()
    one.change("c")
    other.wait_for(lambda heard: ["c"] in heard)
    assert "no notices of changed contexts" in caplog.text


def test_closing_ends_the_thread(processes: list[Process]) -> None:
    before = [thread.name for thread in threading.enumerate()].count("notices")
    processes[0].database.close()
    assert [thread.name for thread in threading.enumerate()].count("notices") == before - 1


def test_there_are_no_notices_behind_a_pooler(pgbouncer: PgBouncer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    process = Process(pgbouncer.empty_database())
    assert process.database._notices is not None
    process.database._notices._thread.join(TIMEOUT)
    assert not process.database._notices.listening.is_set()
    process.change("a")
    assert process.heard == [["a"]]
    assert "a pooler is in front of the database" in caplog.text
    process.database.close()
