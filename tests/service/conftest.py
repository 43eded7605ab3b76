"""The shipped models, as a repository, as a predictor and behind HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.inference.checks import Limits
from service.inference.predictor import Predictor
from service.registry.repository import Repository
from service.settings import Settings
from service.store.database import Database
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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gdssm.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.empty_database()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database.open(database_url)
    yield database
    database.close()
