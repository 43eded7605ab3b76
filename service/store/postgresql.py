"""PostgreSQL: connections that also work behind pgbouncer in transaction mode, where nothing outlives a transaction."""

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from service.errors import InvalidSettings
from service.store.sqlite import LOCK_TIMEOUT

STATEMENT_TIMEOUT = 30
"""Seconds after which PostgreSQL gives up a statement, or a transaction whose process says nothing more."""
LIMITS = {
    "lock_timeout": LOCK_TIMEOUT,
    "statement_timeout": STATEMENT_TIMEOUT,
    "idle_in_transaction_session_timeout": STATEMENT_TIMEOUT,
}
BEGIN = "; ".join(["BEGIN", *(f"SET LOCAL {name} = '{seconds}s'" for name, seconds in LIMITS.items())])
"""The first statement of every transaction: one round trip. A pooler refuses limits in the options of a connection."""
KEEPALIVES = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""Seconds after which a server that the network lost counts as gone: 10 + 3 · 5."""

USED = "used"
"""In the information that the pool keeps of a connection: it has begun a transaction before."""


def engine_of(address: URL, connections: int) -> Engine:
    """Make the pool of connections to a server or to a pooler.

    Args:
        address: With the driver psycopg.
        connections: That there may be at the same time; they are opened as needed.

    Raises:
        InvalidSettings: psycopg is not installed.
    """
    try:
        engine = create_engine(
            address,
            connect_args={
                "client_encoding": "utf8",  # of a database in SQL_ASCII the driver would make bytes
                "connect_timeout": LOCK_TIMEOUT,
                **KEEPALIVES,
            },
            pool_size=connections,
            max_overflow=0,
            pool_timeout=LOCK_TIMEOUT,
            pool_use_lifo=True,  # so that connections which a quiet service does not need stay idle, and may be closed
        )
    except ImportError as error:
        raise InvalidSettings(
            "GDSSM_DATABASE_URL names a PostgreSQL database, which needs psycopg. "
            "Install it with: pip install 'gdssm[postgres]'"
        ) from error
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "checkout", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Leave BEGIN to `_begin`, and prepare no statements where a pooler passes each transaction to another backend.

    A pooler invents the process ids that its clients see. A prepared statement by primary key takes half the time: 53
    instead of 109 µs on one core.
    """
    connection.autocommit = True
    (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    if backend != connection.info.backend_pid:
        connection.prepare_threshold = None


def _begin(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Begin a transaction whenever a connection leaves the pool.

    If the connection turns out to be closed, as after a restart of the server or of the pooler, nothing was done yet,
    and the pool opens another one. (A pooler without a free backend also closes it, with the state 08P01: asking again
    would only wait again.)
    """
    try:
        connection.execute(BEGIN)
    except connection.OperationalError as error:
        closed = connection.closed and (error.sqlstate is None or error.sqlstate.startswith("57P"))
        if closed and USED in record.info:
            raise InvalidatePoolError from error
        raise
    record.info[USED] = True
