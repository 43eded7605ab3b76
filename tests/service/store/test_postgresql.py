"""PostgreSQL, itself or through a pooler: limits of time, connections, and recovery."""

import re
import threading
import time

import httpx
import pytest
from sqlalchemy import text

from service.errors import DatabaseUnavailable
from service.store import postgresql, sqlite
from service.store.database import Database
from tests.nonempty import nonempty
from tests.pgbouncer import PgBouncer
from tests.postgres import Postgres
from tests.running import Server, running

ROWS = {"x": [[1], [2], [3]], "y": [1, 2, 3]}
RECOVERY_TIMEOUT = 60.0
"""Seconds for a service to notice that its database is away, or back."""


@pytest.fixture(params=["postgres", "pgbouncer"])
def server(request: pytest.FixtureRequest) -> Postgres | PgBouncer:
    found: Postgres | PgBouncer = request.getfixturevalue(request.param)
    return found


def limits(database: Database) -> dict[str, str]:
    with database.transaction() as connection:
        return {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in postgresql.LIMITS}


def test_every_transaction_is_limited_and_leaves_no_limit_behind(server: Postgres | PgBouncer) -> None:
    database = Database.open(server.empty_database(), 1)
    assert limits(database) == {name: f"{seconds}s" for name, seconds in postgresql.LIMITS.items()}
    with database.transaction() as connection:
        connection.execute(text("COMMIT"))
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "0"
    database.close()


@pytest.mark.parametrize(("name", "prepared"), [("postgres", True), ("pgbouncer", False)])
def test_statements_are_prepared_unless_there_is_a_pooler(
    request: pytest.FixtureRequest, name: str, prepared: bool
) -> None:
    database = Database.open(request.getfixturevalue(name).empty_database(), 1)
    for _ in range(10):
        with database.reading() as connection:
            found = connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one()
    assert (found > 0) == prepared
    database.close()


def test_a_pooler_serves_more_clients_than_it_has_connections(pgbouncer: PgBouncer) -> None:
    url = pgbouncer.empty_database()
    databases = [Database.open(url, 1) for _ in range(60)]  # more than default_pool_size
    for database in nonempty(databases):
        assert limits(database)["lock_timeout"] == f"{sqlite.LOCK_TIMEOUT}s"
        database.close()


def test_a_further_connection_is_waited_for_and_then_refused(
    server: Postgres | PgBouncer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT", 1)
    database = Database.open(server.empty_database(), 2)
    busy, free = threading.Barrier(3), threading.Event()

    def hold() -> None:
        with database.reading() as connection:
            connection.execute(text("SELECT 1"))
            busy.wait(30)
            free.wait(30)

    holders = [threading.Thread(target=hold) for _ in range(2)]
    for holder in holders:
        holder.start()
    busy.wait(30)
    with pytest.raises(DatabaseUnavailable, match="GDSSM_DATABASE_CONNECTIONS") as refused:
        limits(database)
    assert refused.value.retry_after == 1
    free.set()
    for holder in holders:
        holder.join()
    assert limits(database)
    database.close()


@pytest.mark.slow
def test_one_connection_is_enough_for_a_service(postgres: Postgres) -> None:
    with (
        running(GDSSM_DATABASE_URL=postgres.empty_database(), GDSSM_DATABASE_CONNECTIONS="1") as service,
        httpx.Client(base_url=service.url, timeout=30) as http,
    ):
        made = http.post("/v1/contexts", json={"model": "linear", "observations": ROWS})
        one = f"/v1/contexts/{made.raise_for_status().json()['id']}"
        for path, body in (("observations", ROWS), ("predictions", {"query": [[4]]})):
            assert http.post(f"{one}/{path}", json=body, headers={"Idempotency-Key": path}).status_code == 200
        other = http.post("/v1/contexts", json={"model": "linear", "observations": ROWS}).json()["id"]
        assert http.post(f"{one}/merge", json={"context": other}).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["postgres", "pgbouncer"])
def test_without_its_database_a_service_predicts_and_recovers_by_itself(
    request: pytest.FixtureRequest, pgbouncer: PgBouncer, victim: str
) -> None:
    killed: Postgres | PgBouncer = request.getfixturevalue(victim)
    url = pgbouncer.empty_database()
    with running(GDSSM_DATABASE_URL=url) as service, httpx.Client(base_url=service.url, timeout=60) as http:
        made = http.post("/v1/contexts", json={"model": "linear", "observations": ROWS})
        one = f"/v1/contexts/{made.raise_for_status().json()['id']}"
        assert database_up(service) == 1
        killed.kill()
        try:
            refused = http.post(f"{one}/observations", json=ROWS)
            assert (refused.status_code, refused.json()["error_type"]) == (503, "database_unavailable")
            assert refused.headers["retry-after"] == "1"
            assert http.get("/health/ready").status_code == 200
            assert http.get("/health/live").status_code == 200
            predicted = http.post("/v1/predict", json={"context": ROWS, "query": [[4]], "model": "linear"})
            assert predicted.status_code == 200
            wait_for(service, 0)
        finally:
            killed.start()
        wait_for(service, 1)
        deadline = time.monotonic() + RECOVERY_TIMEOUT
        while (answer := http.post(f"{one}/observations", json=ROWS)).status_code == 503:
            assert time.monotonic() < deadline, answer.text
        assert answer.json()["n_observations"] == 6
        assert "Traceback" not in service.log


def wait_for(service: Server, value: int) -> None:
    deadline = time.monotonic() + RECOVERY_TIMEOUT
    while database_up(service) != value:
        assert time.monotonic() < deadline, service.log
        time.sleep(0.2)


def database_up(service: Server) -> int:
    found = re.search(r"^gdssm_database_up (\d)", httpx.get(f"{service.url}/metrics").text, re.MULTILINE)
    assert found
    return int(found[1])
