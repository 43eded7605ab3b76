"""Looks at a database without changing it, also before a service has used it."""

import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, func, inspect, select

from service.errors import InvalidSettings
from service.store import postgresql
from service.store.database import address_of, opening, shown_address
from service.store.migrate import VERSION, revision
from service.store.sqlite import LOCK_TIMEOUT, file_of
from service.store.tables import KEYS


class DatabaseState(NamedTuple):
    """The findings about a database."""

    shown: str
    """Its address, without password and options."""
    encoding: str = ""
    """Empty for a SQLite file that does not exist yet."""
    revision: str | None = None
    """The last step that it has made; None if it has no tables yet."""
    is_writable: bool = True
    valid_keys: int = 0


def inspect_database(url: str) -> DatabaseState:
    """Look at a database; neither a file nor a table is created.

    Args:
        url: As in GDSSM_DATABASE_URL.

    Raises:
        InvalidSettings: The address or the database cannot be used.
        DatabaseUnavailable: It does not answer.
    """
    address = address_of(url)
    file = file_of(address)
    if address.get_backend_name() == "sqlite" and (file is None or not file.exists()):
        return _new_file(address, file)
    engine = postgresql.engine_of(address, 1) if file is None else _read_only_engine(file)
    try:
        with opening(), engine.connect() as connection:
            return _state(connection, shown_address(address), file)
    finally:
        engine.dispose()


def _new_file(address: URL, file: Path | None) -> DatabaseState:
    if file is not None and not os.access(file.absolute().parent, os.W_OK | os.X_OK):
        raise InvalidSettings(
            f"The folder {file.absolute().parent} of GDSSM_DATABASE_URL does not exist, or no file can be created in "
            "it. Create the folder for the user of the service, or correct the address."
        )
    return DatabaseState(shown_address(address))


def _read_only_engine(file: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=LOCK_TIMEOUT)

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _state(connection: Connection, shown: str, file: Path | None) -> DatabaseState:
    tables = {name for name in (VERSION.name, KEYS.name) if inspect(connection).has_table(name)}
    if file is None:
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        is_writable = connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "off"
    else:
        encoding, is_writable = connection.exec_driver_sql("PRAGMA encoding").scalar(), os.access(file, os.W_OK)
    valid_keys = select(func.count()).select_from(KEYS).where(KEYS.c.revoked.is_(None))
    return DatabaseState(
        shown,
        str(encoding),
        revision(connection) if VERSION.name in tables else None,
        is_writable,
        int(connection.scalar(valid_keys) or 0) if KEYS.name in tables else 0,
    )
