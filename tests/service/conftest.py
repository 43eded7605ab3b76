"""The shipped models, as a repository, as a predictor and behind HTTP."""

from collections.abc import Iterator

import pytest

from service.predictor import Limits, Predictor
from service.repository import Repository
from service.settings import Settings
from tests.service.in_process import InProcess, in_process


@pytest.fixture(scope="session")
def repository() -> Repository:
    return Repository.load(Settings().zoo, threads=1)


@pytest.fixture
def predictor(repository: Repository) -> Predictor:
    return Predictor(repository, "linear", Limits(max_columns=1024, max_predictions=1_000_000))


@pytest.fixture(scope="session")
def client() -> Iterator[InProcess]:
    with in_process(Settings()) as client:
        yield client
