"""Contexts on every database, and the time that passes for them."""

import pytest

from service.contexts.service import ContextService
from service.registry.repository import Repository
from service.store.database import Database
from tests.service.kept import Clock, keep


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def contexts(database: Database, repository: Repository, clock: Clock) -> ContextService:
    return keep(database, repository, clock)
