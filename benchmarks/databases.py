"""Databases for benchmarks: with many contexts, on SQLite or PostgreSQL, and a PostgreSQL server for them."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psycopg
import pytest
from sqlalchemy import delete, func, insert, select

from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.inference.predictor import Observations, Predictor
from service.store.database import Database
from service.store.ids import new_id
from service.store.tables import CONTEXT_COUNTS, CONTEXT_LABELS, CONTEXTS
from tests.postgres import Postgres

OWNER = "a key"
YEAR = 365 * 86_400
BATCH = 5000
"""Rows of one transaction."""
GENERATOR = np.random.default_rng(3)
FIRST = Observations(GENERATOR.normal(size=(50, 10)), GENERATOR.normal(size=50))
ONE, QUERY = Observations(FIRST.x[:1], FIRST.y[:1]), FIRST.x[:10]
SLOT = func.substr(CONTEXTS.c.id, 32, 1)
COUNT_ALL = insert(CONTEXT_COUNTS).from_select(
    ["owner", "slot", "count"], select(CONTEXTS.c.owner, SLOT, func.count()).group_by(CONTEXTS.c.owner, SLOT)
)
"""What adding contexts one by one would have counted."""


class Filled:
    """A database with some contexts of one owner: one learns observations, the others are its copies.

    Args:
        url: As in GDSSM_DATABASE_URL.
        predictor: Has the model.
        model: Name of a model.
        size: Contexts.
        sites: Values of the label `site`; 0 if contexts have neither names nor labels.
    """

    def __init__(self, url: str, predictor: Predictor, model: str, size: int, sites: int = 0) -> None:
        self.database = Database.open(url)
        self.contexts = ContextService(self.database, predictor, max_contexts=2**31, ttl=YEAR)
        self._model, self._sites = model, sites
        self.ids = [self.contexts.create(OWNER, self.spec(0), FIRST).id]
        self._fill(size)

    def spec(self, number: int) -> ContextSpec:
        """Describe a context: its model, and its name and labels if contexts have them."""
        if not self._sites:
            return ContextSpec(self._model)
        return ContextSpec(self._model, name=f"context {number}", labels=self._labels(number))

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def _labels(self, number: int) -> dict[str, str]:
        return {"kind": "sensor", "site": str(number % self._sites)}

    def _fill(self, size: int) -> None:
        with self.database.reading() as connection:
            first = dict(zip(CONTEXTS.c.keys(), connection.execute(select(CONTEXTS)).one(), strict=True))
        for start in range(1, size, BATCH):
            numbers = range(start, min(start + BATCH, size))
            with self.database.transaction() as connection:
                if self._sites:
                    ids = [new_id(time.time() + number * 1e-6) for number in numbers]
                    rows = [{**first, "id": name, "name": f"context {n}"} for n, name in zip(numbers, ids, strict=True)]
                    labels = [
                        {"owner": OWNER, "label": f"{key}:{value}", "context_id": name}
                        for number, name in zip(numbers, ids, strict=True)
                        for key, value in self._labels(number).items()
                    ]
                    connection.execute(insert(CONTEXTS), rows)
                    connection.execute(insert(CONTEXT_LABELS), labels)
                else:
                    ids = [secrets.token_hex(16) for _ in numbers]
                    connection.execute(insert(CONTEXTS), [{**first, "id": name} for name in ids])
            self.ids += ids
        with self.database.transaction() as connection:
            connection.execute(delete(CONTEXT_COUNTS))
            connection.execute(COUNT_ALL)
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("ANALYZE")


@contextmanager
def postgres() -> Iterator[Postgres | None]:
    """Start a PostgreSQL server; None where it is not installed."""
    try:
        server = Postgres()
    except pytest.skip.Exception:
        yield None
        return
    try:
        server.start()
        yield server
    finally:
        server.close()


def database(server: Postgres, name: str) -> str:
    """Make a database; returns its address."""
    address = server.database_in("UTF8")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{address.rpartition('/')[0]}/{name}"
