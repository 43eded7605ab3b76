"""PostgreSQL updates contexts within their pages, without a change of an index (HOT)."""

import numpy as np
import pytest
from sqlalchemy import text

from service.contexts.requests import ContextSpec, ObserveRequest
from service.contexts.service import ContextService
from service.inference.predictor import Observations
from service.registry.repository import Repository
from service.store.database import Database
from tests.postgres import Postgres
from tests.service.kept import OWNER, Clock, keep

CONTEXTS, ROUNDS = 40, 25
SHARE = 0.9
"""Of the updates, at least."""
UPDATES = text("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'contexts'")


def updates(database: Database) -> tuple[int, int]:
    """Return the numbers of all updates, and of those within a page."""
    with database.transaction() as connection:
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
    with database.transaction() as connection:
        return tuple(connection.execute(UPDATES).one())


def observations(generator: np.random.Generator, columns: int) -> Observations:
    return Observations(generator.normal(size=(3, columns)), generator.normal(size=3))


@pytest.mark.parametrize("batches", [False, True], ids=["one by one", "in batches"])
@pytest.mark.parametrize(("model", "columns"), [("linear", 10), ("linear", 3), ("nonlinear", 10)])
def test_nine_of_ten_updates_change_no_index(
    postgres: Postgres, repository: Repository, clock: Clock, model: str, columns: int, batches: bool
) -> None:
    """In a batch all contexts of a page have new versions at once, for which a page that is full has no room."""
    database = Database.open(postgres.empty_database())
    contexts: ContextService = keep(database, repository, clock, ttl=86_400)
    generator = np.random.default_rng(0)
    ids = [contexts.create(OWNER, ContextSpec(model, name=f"n{number}")).id for number in range(CONTEXTS)]
    for _ in range(ROUNDS):
        clock.now += 60
        requests = [ObserveRequest(OWNER, context, observations(generator, columns)) for context in ids]
        if batches:
            results = contexts.observe_many(requests)
            assert [result for result in results if isinstance(result, Exception)] == []
        else:
            for request in requests:
                contexts.observe(OWNER, request.context_id, request.new)
    number, within = updates(database)
    database.close()
    assert number >= CONTEXTS * ROUNDS
    assert within / number >= SHARE, f"{within} of {number}"
