"""Contexts that learn from entries in memory, on every database."""

import time
from collections.abc import Callable

import pytest

from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.ingest.destination import Destination
from service.ingest.ingester import Ingester
from service.ingest.offsets import OffsetStore
from service.ingest.source import LogSource
from service.registry.repository import Repository
from service.store.database import Database
from tests.service.ingest.streams import COLUMNS
from tests.service.kept import OWNER, Clock, keep

Start = Callable[..., Ingester]


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
def contexts(database: Database, repository: Repository, clock: Clock) -> ContextService:
    return keep(database, repository, clock)


@pytest.fixture
def start(database: Database, contexts: ContextService) -> Start:
    """Return what makes an ingester of some sources."""

    def make(*sources: LogSource, **options: object) -> Ingester:
        allow = bool(options.pop("allow_precision_loss", False))
        new = options.pop("new", ContextSpec("linear"))
        columns, consumer = options.pop("columns", COLUMNS), str(options.pop("consumer", "gdssm"))
        destination = Destination(contexts, contexts._predictor, OWNER, new, allow_precision_loss=allow)  # type: ignore[arg-type]
        offsets = OffsetStore(OWNER, consumer, time.time)
        given = {"from_start": True, **options}
        return Ingester(database, sources, offsets, columns, destination, **given)  # type: ignore[arg-type]

    return make
