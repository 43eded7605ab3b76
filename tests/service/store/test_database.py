"""One transaction is all or nothing, on either database, and a database that does not answer is said so."""

import os
import stat
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, insert, make_url, select
from sqlalchemy.exc import IntegrityError

from service.errors import DatabaseUnavailable, InvalidSettings
from service.store import sqlite
from service.store.database import Database
from service.store.tables import UNLOADED
from tests.postgres import Postgres


def add(connection: Connection, name: str) -> None:
    connection.execute(insert(UNLOADED).values(name=name, version="1.0.0"))


def names(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.scalars(select(UNLOADED.c.name).order_by(UNLOADED.c.name)))


def test_what_is_written_is_there_for_another_one(database: Database, database_url: str) -> None:
    with database.transaction() as connection:
        add(connection, "a")
    other = Database.open(database_url)
    assert names(other) == ["a"]
    other.close()


def test_an_error_undoes_everything(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as connection:
            add(connection, "a")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert names(database) == []


def test_looking_waits_for_no_writer(database: Database) -> None:
    with database.transaction() as connection:
        add(connection, "a")
        seen = []
        reader = threading.Thread(target=lambda: seen.append(names(database)))
        reader.start()
        reader.join(timeout=60)
        assert seen == [[]]


def test_what_need_not_be_written_waits_for_no_other_writer(tmp_path: Path) -> None:
    ours, theirs = (Database.open(f"sqlite:///{tmp_path}/gdssm.db") for _ in range(2))
    for holding in (ours, theirs):
        with holding.transaction():
            assert not ours.write_at_once(lambda connection: add(connection, "a"))
    assert names(ours) == []
    assert ours.write_at_once(lambda connection: add(connection, "a"))
    assert names(theirs) == ["a"]
    ours.close()
    theirs.close()


def test_on_sqlite_a_transaction_may_write_from_its_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "LOCK_TIMEOUT", 0.05)
    ours, theirs = (Database.open(f"sqlite:///{tmp_path}/gdssm.db") for _ in range(2))
    with ours.transaction(), pytest.raises(DatabaseUnavailable, match="Nothing was changed"), theirs.transaction():
        pass
    ours.close()
    theirs.close()


def test_on_sqlite_what_is_committed_is_on_the_disk(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/gdssm.db")
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    database.close()


def test_a_database_in_memory_is_one_for_all_threads() -> None:
    database = Database.open("sqlite://")

    def write(name: str) -> None:
        with database.transaction() as connection:
            add(connection, name)

    threads = [threading.Thread(target=write, args=(f"{i}",)) for i in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(database) == list("01234")
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:secret@host/name",
        "nonsense secret",
        "",
        "postgresql://u:secret@host:port/x",
        "postgresql://u:secret%00secret@127.0.0.1:1/x",
    ],
)
def test_an_address_of_nothing_known_is_refused_in_one_line_without_its_password(url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"GDSSM_DATABASE_URL must be sqlite:///.* or postgresql://") as refused:
        Database.open(url)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [("postgresql://u:secret@127.0.0.1:1/x", "Connection refused"), ("sqlite:////not/there/x.db", "unable to open")],
)
def test_a_database_that_is_not_there_is_said_at_the_start(url: str, reason: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=reason) as refused:
        Database.open(url)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    ["sqlite:///{}/text.db", "sqlite:///{}/text.db?timeout=secret"],
)
def test_a_database_that_refuses_is_said_in_one_line(tmp_path: Path, address: str) -> None:
    (tmp_path / "text.db").write_text("This is no database.\n" * 100)
    message = (
        r"^The database of GDSSM_DATABASE_URL cannot be used \(.*\)\. Correct the address, or name another database\.$"
    )
    with pytest.raises(InvalidSettings, match=message) as refused:
        Database.open(address.format(tmp_path))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("options", ["?nonsense=1", "?sslmode=nonsense", "?options=-c%20nonsense%3D1"])
def test_options_that_postgresql_does_not_know_are_said_in_one_line(postgres: Postgres, options: str) -> None:
    with pytest.raises((InvalidSettings, DatabaseUnavailable), match="nonsense") as refused:
        Database.open(postgres.empty_database() + options)
    assert "\n" not in str(refused.value)


def test_a_database_without_an_encoding_is_refused_in_one_line(postgres: Postgres) -> None:
    with pytest.raises(InvalidSettings, match=r"in SQL_ASCII.* CREATE DATABASE gdssm ENCODING 'UTF8'") as refused:
        Database.open(postgres.database_in("SQL_ASCII"))
    assert "\n" not in str(refused.value)


def test_the_command_that_is_recommended_instead_works(postgres: Postgres) -> None:
    Database.open(postgres.database_in("UTF8")).close()


@pytest.mark.parametrize("mask", [0o022, 0o000, 0o077])
def test_a_new_file_is_for_its_owner_alone(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        database = Database.open(f"sqlite:///{tmp_path}/gdssm.db")
    finally:
        os.umask(before)
    files = list(tmp_path.iterdir())
    assert {file.name for file in files} == {"gdssm.db", "gdssm.db-wal", "gdssm.db-shm"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    database.close()


def test_a_file_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "gdssm.db"
    Database.open(f"sqlite:///{file}").close()
    file.chmod(0o640)
    Database.open(f"sqlite:///{file}").close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_database_knows_whether_it_was_empty(database_url: str) -> None:
    for expected in (True, False):
        database = Database.open(database_url)
        assert database.is_new is expected
        database.close()


def test_an_address_is_shown_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database.open("sqlite:///gdssm.db")
    assert database.shown == f"sqlite:///{tmp_path}/gdssm.db"
    database.close()
    address = make_url("postgresql+psycopg://me:secret@host:5433/base?password=secret")
    assert Database(create_engine(address)).shown == "postgresql://me:***@host:5433/base"


def test_postgresql_without_its_driver_is_told_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InvalidSettings, match=r"Install it with: pip install 'gdssm\[postgres\]'$") as refused:
        Database.open("postgresql://u:secret@127.0.0.1:1/x")
    assert "secret" not in str(refused.value)


@pytest.mark.slow
def test_after_a_server_came_back_so_do_the_connections(postgres: Postgres) -> None:
    database = Database.open(postgres.empty_database())
    with database.transaction() as connection:
        add(connection, "a")
    postgres.kill()
    with pytest.raises(DatabaseUnavailable, match="Nothing was changed"):
        names(database)
    postgres.start()
    assert names(database) == ["a"]
    database.close()


@pytest.mark.slow
def test_a_server_that_dies_before_the_end_of_a_transaction_changes_nothing(postgres: Postgres) -> None:
    database = Database.open(postgres.empty_database())

    def die() -> None:
        with database.transaction() as connection:
            add(connection, "a")
            postgres.kill()

    with pytest.raises(DatabaseUnavailable, match="may have been made"):
        die()
    postgres.start()
    assert names(database) == []
    database.close()


def test_a_damaged_file_does_not_answer(tmp_path: Path) -> None:
    file = tmp_path / "gdssm.db"
    Database.open(f"sqlite:///{file}").close()
    database = Database.open(f"sqlite:///{file}")
    pages = file.read_bytes()
    file.write_bytes(pages[:100] + b"\xff" * (len(pages) - 100))
    for use in (database.reading, database.transaction):
        with pytest.raises(DatabaseUnavailable, match="does not answer"), use() as connection:
            connection.execute(select(UNLOADED))
    database.close()


def test_what_a_database_refuses_is_no_silence(database: Database) -> None:
    with database.transaction() as connection:
        add(connection, "a")
    with pytest.raises(IntegrityError), database.transaction() as connection:
        add(connection, "a")
