"""A nonblocking read sees committed values, never waits, and returns None where it would have to."""

from collections.abc import Iterator

import pytest
from sqlalchemy import bindparam, insert, select, update

from service.store.database import Database
from service.store.tables import UNLOADED

U = UNLOADED.c
VERSION = select(U.version).where(U.name == bindparam("name"))


@pytest.fixture
def other(database_url: str) -> Iterator[Database]:
    """As another process has it."""
    database = Database.open(database_url)
    yield database
    database.close()


def write(database: Database, version: str) -> None:
    with database.transaction() as connection:
        if connection.execute(update(UNLOADED).values(version=version)).rowcount == 0:
            connection.execute(insert(UNLOADED).values(name="a", version=version))


def test_it_sees_what_was_committed_anywhere(database: Database, other: Database, database_url: str) -> None:
    waits = database_url.startswith("postgresql")
    assert database.read_nonblocking(VERSION, {"name": "a"}) is None
    for version, writer in (("1", database), ("2", other), ("3", database)):
        write(writer, version)
        for reader in (database, other):
            assert reader.read_nonblocking(VERSION, {"name": "a"}) == (None if waits else version)
            assert reader.read_nonblocking(VERSION, {"name": "b"}) is None


def test_it_waits_for_no_writer_and_holds_none_up(database: Database, other: Database, database_url: str) -> None:
    write(database, "1")
    with other.transaction() as connection:
        connection.execute(update(UNLOADED).values(version="2"))
        assert database.read_nonblocking(VERSION, {"name": "a"}) == (
            None if database_url.startswith("postgresql") else "1"
        )
    write(other, "3")


def test_what_goes_wrong_is_left_to_whoever_can_wait(database: Database) -> None:
    with database.transaction() as connection:
        UNLOADED.drop(connection)
    assert database.read_nonblocking(VERSION, {"name": "a"}) is None


def test_a_database_in_memory_has_one_connection_which_may_be_waited_for() -> None:
    database = Database.open("sqlite://")
    write(database, "1")
    assert database.read_nonblocking(VERSION, {"name": "a"}) is None
    database.close()
