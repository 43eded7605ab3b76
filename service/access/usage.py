"""The use of each key, added up by day in the database: written now and then for many requests, never for each."""

import time
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields

from sqlalchemy import RowMapping, func, select, text

from service.store.database import Database
from service.store.tables import KEY_USAGE

SECONDS_A_DAY = 86_400


@dataclass
class Usage:
    """The sum of some requests."""

    requests: int = 0
    refused: int = 0
    """Requests that were answered with an error."""
    observations: int = 0
    """Rows learnt."""
    queries: int = 0
    """Rows predicted."""
    compute_seconds: float = 0.0
    """Seconds of work, the database included."""

    def add(self, other: "Usage") -> None:
        """Add the sum of other requests."""
        for name in NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass
class KeyUsage(Usage):
    """The use of one key in some days."""

    last_day: int = 0
    """The last day of use, counted from 1970 in UTC."""


NAMES = tuple(field.name for field in fields(Usage))
ADD = text(
    f"INSERT INTO key_usage (key_id, day, {', '.join(NAMES)}) "  # noqa: S608  (names of columns)
    f"VALUES (:key_id, :day, {', '.join(f':{name}' for name in NAMES)}) ON CONFLICT (key_id, day) DO UPDATE SET "
    + ", ".join(f"{name} = key_usage.{name} + excluded.{name}" for name in NAMES)
)


class UsageStore:
    """The table of the use of keys in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, used: Mapping[str, Usage]) -> None:
        """Add to the use of keys today, in one transaction.

        Args:
            used: By the id of the key.

        Raises:
            DatabaseUnavailable: The database does not answer.
        """
        day = today()
        rows = [  # in one order, so that no two transactions wait for each other
            {"key_id": key_id, "day": day, **dict(zip(NAMES, astuple(usage), strict=True))}
            for key_id, usage in sorted(used.items())
        ]
        if rows:
            with self._database.transaction() as connection:
                connection.execute(ADD, rows)

    def since(self, day: int) -> dict[str, KeyUsage]:
        """Return the use since the beginning of a day, by the id of the key."""
        sums = [func.sum(KEY_USAGE.c[name]).label(name) for name in NAMES]
        last = func.max(KEY_USAGE.c.day).label("last_day")
        found = select(KEY_USAGE.c.key_id, *sums, last).where(KEY_USAGE.c.day >= day).group_by(KEY_USAGE.c.key_id)
        with self._database.reading() as connection:
            rows = connection.execute(found).mappings().all()
        return {row["key_id"]: _key_usage(row) for row in rows}


def _key_usage(row: RowMapping) -> KeyUsage:
    """Read the sums of a key, which PostgreSQL returns as Decimal."""
    return KeyUsage(
        requests=int(row["requests"]),
        refused=int(row["refused"]),
        observations=int(row["observations"]),
        queries=int(row["queries"]),
        compute_seconds=float(row["compute_seconds"]),
        last_day=row["last_day"],
    )


def today() -> int:
    """Return the present day, counted from 1970 in UTC."""
    return int(time.time() // SECONDS_A_DAY)
