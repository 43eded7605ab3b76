"""A database that answers and cannot work is reported with the cause, changes nothing, and works again afterwards."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, make_url, select, text

from service.errors import DatabaseUnavailable
from service.store.database import Database
from service.store.refusals import FORBIDDEN, FULL, OTHER_TABLES, READ_ONLY
from service.store.tables import UNLOADED
from tests.nonempty import nonempty
from tests.postgres import Postgres
from tests.service.store.test_database import add, names

DAMAGES = {
    "dropped table": "DROP TABLE unloaded_models",
    "dropped column": "ALTER TABLE unloaded_models RENAME COLUMN version TO other",
}


def refused(database: Database, message: str, *uses: Callable[[Connection], object]) -> None:
    """Check that each use is refused with a message, in a transaction or, for a look, in a read."""
    for use in nonempty(uses):
        entry = database.reading if use is look else database.transaction
        with pytest.raises(DatabaseUnavailable) as error, entry() as connection:
            use(connection)
        assert str(error.value) == message


def look(connection: Connection) -> None:
    connection.execute(select(UNLOADED)).all()


def write(connection: Connection) -> None:
    add(connection, "b")


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_changed_tables_are_reported(database: Database, damage: str) -> None:
    with database.transaction() as connection:
        connection.execute(text(damage))
    refused(database, OTHER_TABLES, look, write)


def test_full_sqlite_file_keeps_its_rows_and_is_written_again(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/gdssm.db")

    def grow(connection: Connection) -> None:
        # Of this connection; SQLite raises the limit to the present size.
        connection.execute(text("PRAGMA max_page_count = 1"))
        for i in range(1000):
            add(connection, f"{i:0500}")

    with database.transaction() as connection:
        add(connection, "a")
    refused(database, FULL, grow)
    assert names(database) == ["a"]
    with database.transaction() as connection:
        connection.execute(text("PRAGMA max_page_count = 1000000"))
        add(connection, "b")
    assert names(database) == ["a", "b"]
    database.close()


def test_read_only_sqlite_file_is_read(tmp_path: Path) -> None:
    Database.open(f"sqlite:///{tmp_path}/gdssm.db").close()
    database = Database.open(f"sqlite:///file:{tmp_path}/gdssm.db?mode=ro&uri=true")
    refused(database, READ_ONLY, write)
    assert names(database) == []
    database.close()


def test_refusals_of_postgresql_name_the_cause(postgres: Postgres) -> None:
    url = postgres.empty_database()
    Database.open(url).close()
    execute(url, "CREATE ROLE other LOGIN")
    try:
        execute(url, "GRANT USAGE ON SCHEMA public TO other")
        execute(url, "GRANT SELECT ON alembic_version TO other")
        other = Database.open(make_url(url).set(username="other").render_as_string())
        refused(other, FORBIDDEN, look, write)
        other.close()
        read_only = Database.open(f"{url}?options=-c%20default_transaction_read_only%3Don")
        refused(read_only, READ_ONLY, write)
        assert names(read_only) == []
        read_only.close()
    finally:
        execute(url, "DROP OWNED BY other")
        execute(url, "DROP ROLE other")


def test_full_disk_of_postgresql_is_reported(postgres: Postgres) -> None:
    database = Database.open(postgres.empty_database())

    def fill(connection: Connection) -> None:
        connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$"))

    refused(database, FULL, fill)
    database.close()


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
