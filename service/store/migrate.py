"""Bring a database's schema up to date, with alembic: every step is a file in `migrations/versions`.

A step, once released, is never changed; a change of `tables` is a new step:
`alembic.command.revision(configuration(connection), "what changes", autogenerate=True)`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, func, inspect, select, table

from service.errors import InvalidSettings

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0002"
"""The last step."""
TURN = 0x6764_7373_6D
"""Under this number PostgreSQL lets one process at a time migrate ("gdssm")."""
VERSION = table("alembic_version", column("version_num"))
"""Where alembic keeps the last step that was made."""


def migrate(connection: Connection) -> None:
    """Make the steps that are missing, within the connection's transaction.

    Args:
        connection: On SQLite it has the right to write.

    Raises:
        InvalidSettings: A later version of the service has made steps that this one does not know.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(TURN)))
    found = revision(connection)
    if found != HEAD:
        from alembic import command, util  # noqa: PLC0415  (a tenth of a second that most starts can do without)

        try:
            command.upgrade(configuration(connection), HEAD)
        except util.CommandError as error:
            raise InvalidSettings(
                f"The database of GDSSM_DATABASE_URL is at step {found}; this version of the service knows the steps "
                f"up to {HEAD}. Start the version that made it, or a later one."
            ) from error


def revision(connection: Connection) -> str | None:
    """Tell the last step that a database has made."""
    if not inspect(connection).has_table(VERSION.name):
        return None
    found: str | None = connection.scalar(select(VERSION.c.version_num))
    return found


def configuration(connection: Connection) -> "Config":
    """Tell alembic where the steps are, and over which connection to make them."""
    from alembic.config import Config  # noqa: PLC0415  (as in `migrate`)

    config = Config(attributes={"connection": connection})
    # Read by configparser, to which a percent sign is the start of something.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
