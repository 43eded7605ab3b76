"""The schema makes itself, step by step, and the steps lead to what the code works with."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect, select, update

from service.contexts.requests import ANY_CONTEXT, ContextSpec
from service.errors import InvalidSettings
from service.registry.repository import Repository
from service.store.database import Database
from service.store.migrate import HEAD, VERSION, configuration, revision
from service.store.tables import METADATA, UNLOADED
from tests.service.contexts.test_quota import check_counts
from tests.service.kept import OTHER_OWNER, OWNER, Clock, draw, keep

ROOT = Path(__file__).parents[3]


def schema(connection: Connection) -> dict[str, list[object]]:
    """Describe every table: columns in their order, keys and indexes with their names."""
    found = inspect(connection)
    return {
        name: [
            [(column["name"], str(column["type"]), column["nullable"], column["default"]) for column in columns],
            found.get_pk_constraint(name),
            found.get_foreign_keys(name),
            sorted(
                str({**index, "dialect_options": {key: str(value) for key, value in index["dialect_options"].items()}})
                for index in found.get_indexes(name)
            ),
        ]
        for name in found.get_table_names()
        for columns in [found.get_columns(name)]
    }


def test_the_steps_lead_to_the_tables_that_are_made_at_once(database: Database) -> None:
    with database.transaction() as connection:
        at_once = schema(connection)
        assert revision(connection) == HEAD
        command.downgrade(configuration(connection), "base")
        VERSION.drop(connection)
        command.upgrade(configuration(connection), "head")
        assert schema(connection) == at_once
        assert len(at_once) == len(METADATA.tables) + 1


def test_the_last_step_is_the_one_that_is_looked_for(database: Database) -> None:
    with database.transaction() as connection:
        assert revision(connection) == HEAD
        assert ScriptDirectory.from_config(configuration(connection)).get_heads() == [HEAD]


def test_every_step_can_be_taken_back_and_made_again(database: Database) -> None:
    with database.transaction() as connection:
        command.downgrade(configuration(connection), "base")
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
        command.upgrade(configuration(connection), "head")
    with database.transaction() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_several_replicas_may_start_at_once(database_url: str) -> None:
    start = Barrier(6)

    def open_it(_: int) -> str | None:
        start.wait()
        database = Database.open(database_url)
        with database.reading() as connection:
            found = revision(connection)
        database.close()
        return found

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(open_it, range(6))) == [HEAD] * 6


def test_a_new_file_that_another_process_prepares_is_waited_for(tmp_path: Path) -> None:
    """SQLite does not wait by itself where a connection would switch to a write-ahead log."""
    path = tmp_path / "gdssm.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(Database.open, f"sqlite:///{path}")
        with pytest.raises(TimeoutError):
            opening.result(timeout=0.2)
        other.execute("COMMIT")
        opening.result().close()
    other.close()


def test_a_database_that_is_some_steps_behind_makes_them_and_keeps_what_is_in_it(
    database: Database, database_url: str
) -> None:
    with database.transaction() as connection:
        command.downgrade(configuration(connection), "0001")
        connection.execute(insert(UNLOADED).values(name="linear", version="1.0.0"))
    again = Database.open(database_url)
    with again.transaction() as connection:
        assert revision(connection) == HEAD
        assert connection.execute(select(UNLOADED.c.name)).all() == [("linear",)]
    again.close()


def test_contexts_of_the_step_before_names_are_kept_and_counted(
    database: Database, database_url: str, repository: Repository
) -> None:
    contexts = keep(database, repository, Clock())
    made = [contexts.create(owner, ANY_CONTEXT, draw(1)) for owner in (OWNER, OTHER_OWNER) for _ in range(20)]
    named = contexts.create(OWNER, ContextSpec(name="a", labels={"b": "c"}))
    before = [contexts.export(OWNER, record.id)[0] for record in made[:20]]
    with database.transaction() as connection:
        command.downgrade(configuration(connection), "0005")
        assert "name" not in {column["name"] for column in inspect(connection).get_columns("contexts")}
    again = Database.open(database_url)
    assert check_counts(again) == 41
    contexts = keep(again, repository, Clock())
    assert [contexts.export(OWNER, record.id)[0] for record in made[:20]] == before
    assert contexts.get(OWNER, made[0].id) == made[0]
    assert contexts.get(OWNER, named.id) == replace(named, name=None, labels={})
    assert contexts.create(OWNER, ContextSpec(name="a")).id != named.id
    contexts.delete(OWNER, made[0].id)
    assert check_counts(again) == 41
    again.close()


def test_a_database_of_a_later_version_is_refused(database: Database, database_url: str) -> None:
    with database.transaction() as connection:
        connection.execute(update(VERSION).values(version_num="9999"))
    with pytest.raises(
        InvalidSettings, match=r"is at step 9999; .* up to \d+\. Start the version that made it, or a later one\.$"
    ):
        Database.open(database_url)


@pytest.mark.slow
def test_a_start_without_a_step_to_make_does_not_load_alembic(tmp_path: Path) -> None:
    code = f"""
import sys
from service.store.database import Database
for _ in range(2):
    Database.open("sqlite:///{tmp_path}/gdssm.db").close()
assert "alembic" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True)
