"""The shipped models, as a repository, as a predictor and behind HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.inference.checks import Limits
from service.inference.predictor import Predictor
from service.registry.repository import Repository
from service.settings import Settings
from service.store.database import Database
from tests.pgbouncer import PgBouncer
from tests.postgres import Postgres
from tests.service.in_process import InProcess, in_process


@pytest.fixture(scope="session")
def repository() -> Repository:
    return Repository.load([Settings().zoo], threads=1)


@pytest.fixture
def predictor(repository: Repository) -> Predictor:
    return Predictor(repository, "nonlinear", Limits(max_columns=1024, max_predictions=1_000_000))


@pytest.fixture(scope="session")
def client() -> Iterator[InProcess]:
    with in_process(Settings()) as client:
        yield client


WITHOUT_POOLER = {"test_database", "test_migrate", "test_nonblocking", "test_service"}
"""Modules whose tests run on PostgreSQL itself too; others only through a pooler, where less is possible."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests of stored things on both kinds of databases."""
    if "database_url" in metafunc.fixturenames:
        direct = ["postgresql"] if metafunc.module.__name__.split(".")[-1] in WITHOUT_POOLER else []
        metafunc.parametrize("database_url", ["sqlite", *direct, "pgbouncer"], indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database: a file of SQLite, or PostgreSQL, itself or through a pooler."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gdssm.db"
    server: Postgres | PgBouncer = request.getfixturevalue({"postgresql": "postgres"}.get(request.param, request.param))
    return server.empty_database()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database.open(database_url)
    yield database
    database.close()
