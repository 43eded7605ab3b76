"""Bring a database's schema up to date: all tables at once where there are none, step by step where there are.

alembic makes the steps; every one is a file in `migrations/versions`, and a test compares all of them together with the
tables made at once. A step, once released, is never changed; a change of `tables` is a new step:
`alembic.command.revision(configuration(connection), "what changes", autogenerate=True)`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, func, insert, inspect, select

from service.errors import InvalidSettings
from service.store.tables import METADATA

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0008"
"""The last step."""
MIGRATION_LOCK = 0x6764_7373_6D
"""Under this number PostgreSQL lets one process at a time migrate ("gdssm")."""
VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where alembic keeps the last step that was made; as it makes it itself."""


def migrate(connection: Connection) -> bool:
    """Create missing tables and run missing steps, within the connection's transaction.

    Args:
        connection: On SQLite it has the right to write.

    Returns:
        Whether there was nothing before.

    Raises:
        InvalidSettings: A later version of the service has made steps that this one does not know, or the encoding of a
            PostgreSQL database is none.
    """
    if connection.dialect.name == "postgresql":
        _check_encoding(connection)
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    if not inspect(connection).has_table(VERSION.name):
        _make_at_once(connection)
        return True
    if revision(connection) != HEAD:
        _make_steps(connection)
    return False


def revision(connection: Connection) -> str | None:
    """Return the last step that a database has made; None if all were reverted."""
    return connection.scalar(select(VERSION.c.version_num))


def _check_encoding(connection: Connection) -> None:
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding == "SQL_ASCII":
        raise InvalidSettings(
            "The database of GDSSM_DATABASE_URL is in SQL_ASCII, which knows no characters beyond ASCII. "
            "Make one with: CREATE DATABASE gdssm ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )


def _make_at_once(connection: Connection) -> None:
    METADATA.create_all(connection, checkfirst=False)
    VERSION.create(connection)
    connection.execute(insert(VERSION).values(version_num=HEAD))


def _make_steps(connection: Connection) -> None:
    from alembic import command, util  # noqa: PLC0415  (a tenth of a second that most starts do not need)

    try:
        command.upgrade(configuration(connection), HEAD)
    except util.CommandError as error:
        raise InvalidSettings(
            f"The database of GDSSM_DATABASE_URL is at step {revision(connection)}; this version of the service knows "
            f"the steps up to {HEAD}. Start the version that made it, or a later one."
        ) from error


def configuration(connection: Connection) -> "Config":
    """Configure alembic with the folder of the steps and the connection."""
    from alembic.config import Config  # noqa: PLC0415  (as for the steps)

    config = Config(attributes={"connection": connection})
    # Read by configparser, to which a percent sign is the start of something.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
