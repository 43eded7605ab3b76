"""Databases that answer and refuse: the disk is full, nothing may be written, or tables were changed by hand."""

import re
import sqlite3

from sqlalchemy.exc import DBAPIError

FULL = "The disk of the database is full. Nothing was changed. The operator must free space; then send it again."
READ_ONLY = (
    "The database is read-only. Nothing was changed. The operator must make it writable, or name the primary server in "
    "GDSSM_DATABASE_URL; then send it again."
)
OTHER_TABLES = (
    "The database lacks a table or a column of this service. Nothing was changed. The operator must restore it from a "
    "backup; in an empty database the service makes its tables when it starts."
)
FORBIDDEN = (
    "The user of the database may not use the tables of this service. Nothing was changed. The operator must grant "
    "SELECT, INSERT, UPDATE and DELETE on them; then send it again."
)
BY_SQLSTATE = {
    "53100": FULL,
    "25006": READ_ONLY,
    "42P01": OTHER_TABLES,
    "42703": OTHER_TABLES,
    "3F000": OTHER_TABLES,
    "42501": FORBIDDEN,
}
"""By the error codes of PostgreSQL."""
BY_SQLITE_CODE = {sqlite3.SQLITE_FULL: FULL, sqlite3.SQLITE_READONLY: READ_ONLY}
PRIMARY_CODE = 0xFF
"""The bits of a SQLite error code without its details."""
LACKING = re.compile(r"^no such (table|column)|has no column named")
"""How SQLite says so; its code is that of any mistake."""


def refusal(error: BaseException) -> str | None:
    """Return the message for an error of a database that refuses; None for any other error.

    In each case SQLite and PostgreSQL have reverted the transaction, even where its end was refused.
    """
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        if LACKING.search(str(cause)):
            return OTHER_TABLES
        return BY_SQLITE_CODE.get(getattr(cause, "sqlite_errorcode", 0) & PRIMARY_CODE)
    return BY_SQLSTATE.get(getattr(cause, "sqlstate", None) or "")
