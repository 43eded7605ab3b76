"""Contexts are counted as they come and go: the counts are those of the rows, and the quota is exact."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, insert, select

from service.contexts import quota
from service.contexts.records import Amendment
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.errors import NameTaken, QuotaExceeded, UnknownContext
from service.registry.repository import Repository
from service.store.database import Database
from service.store.tables import CONTEXT_COUNTS, CONTEXT_LABELS, CONTEXTS
from tests.nonempty import nonempty
from tests.running import ROOT
from tests.service.kept import OTHER_OWNER, OWNER, Clock, keep

THREADS = 4


@pytest.fixture
def services(
    database: Database, database_url: str, repository: Repository, clock: Clock
) -> Iterator[list[ContextService]]:
    """Two services with one database, each with few contexts for an owner."""
    other = Database.open(database_url)
    yield [keep(one, repository, clock, max_contexts=37) for one in (database, other)]
    other.close()


def check_counts(database: Database) -> int:
    """Compare counts and labels with the rows of contexts; returns the number of contexts."""
    with database.reading() as connection:
        rows = connection.execute(select(CONTEXTS.c.owner, CONTEXTS.c.id, CONTEXTS.c.labels)).all()
        counts = connection.execute(select(*CONTEXT_COUNTS.c)).all()
        labels = connection.execute(select(CONTEXT_LABELS.c.context_id)).scalars().all()
        total = quota.total(connection)
    expected = Counter((row.owner, row.id[-1]) for row in rows)
    assert {(owner, slot): count for owner, slot, count in counts if count} == dict(expected)
    assert sorted(labels) == sorted(row.id for row in rows if row.labels)
    assert total == len(rows)
    return len(rows)


def test_the_quota_is_exact_for_services_that_create_at_once(
    services: list[ContextService], database: Database
) -> None:
    def create(number: int) -> int:
        made = 0
        for _ in range(20):
            try:
                services[number % 2].create(OWNER)
                made += 1
            except QuotaExceeded:
                break
        return made

    services[0].create(OTHER_OWNER)
    with ThreadPoolExecutor(2 * THREADS) as pool:
        assert sum(pool.map(create, range(2 * THREADS))) == 37
    assert check_counts(database) == 38
    services[0].delete(OWNER, services[0].list(OWNER, 1).contexts[0].id)
    services[1].create(OWNER)
    with pytest.raises(QuotaExceeded):
        services[0].create(OWNER)


def test_expired_contexts_make_room(services: list[ContextService], database: Database, clock: Clock) -> None:
    for _ in range(37):
        services[0].create(OWNER, ContextSpec(ttl=10, labels={"a": "b"}))
    services[1].create(OTHER_OWNER, ContextSpec(ttl=10))
    clock.now += 11
    services[1].create(OWNER)
    assert check_counts(database) == 2


@pytest.mark.parametrize("limit", [3, 20])
def test_a_lower_quota_is_exact(
    services: list[ContextService], repository: Repository, database: Database, clock: Clock, limit: int
) -> None:
    made = [services[0].create(OWNER).id for _ in range(37)]
    lower = keep(database, repository, clock, max_contexts=limit)
    for number in range(37 - limit + 1):
        with pytest.raises(QuotaExceeded):
            lower.create(OWNER)
        lower.delete(OWNER, made[number])

    def create(_: int) -> bool:
        try:
            lower.create(OWNER)
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(create, range(2 * THREADS))) == 1
    assert check_counts(database) == limit


def test_counts_of_one_digit_over_its_share_leave_the_quota_exact(
    database: Database, repository: Repository, clock: Clock
) -> None:
    """As after the step that counts the contexts of an earlier version, whose ids are not spread evenly."""
    contexts = keep(database, repository, clock, max_contexts=16)
    record = contexts.create(OWNER)
    with database.transaction() as connection:
        row = dict(zip(CONTEXTS.c.keys(), connection.execute(select(CONTEXTS)).one(), strict=True))
        connection.execute(insert(CONTEXTS), [{**row, "id": f"{number:031x}a"} for number in range(7)])
        connection.execute(delete(CONTEXT_COUNTS))
        connection.execute(insert(CONTEXT_COUNTS).values(owner=OWNER, slot="a", count=7))
        connection.execute(delete(CONTEXTS).where(CONTEXTS.c.id == record.id))

    def create(_: int) -> bool:
        try:
            contexts.create(OWNER)
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(create, range(20))) == 9
    assert check_counts(database) == 16


def test_random_changes_at_once_leave_exact_counts(
    services: list[ContextService], database: Database, clock: Clock
) -> None:
    def work(number: int) -> None:
        choose, contexts = random.Random(number), services[number % 2]  # noqa: S311  (choices)
        for _ in range(40):
            try:
                match choose.randrange(6):
                    case 0 | 1 | 2:
                        name = choose.choice(["a", "b", "c", None, None, None])
                        labels = {"site": "berlin"} if choose.random() < 0.5 else {}
                        contexts.create(OWNER, ContextSpec(ttl=choose.choice([1, 10**6]), name=name, labels=labels))
                    case 3:
                        contexts.delete(OWNER, choose.choice(contexts.list(OWNER, 50).contexts).id)
                    case 4:
                        found = choose.choice(contexts.list(OWNER, 50).contexts)
                        contexts.amend(OWNER, found.id, Amendment(choose.choice("abc"), {}))
                    case _:
                        clock.now += 0.3
                        contexts.sweep()
            except (QuotaExceeded, NameTaken, UnknownContext, IndexError):
                continue

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    assert check_counts(database) <= 37


CHANGES = """
import itertools, sys
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.inference.checks import Limits
from service.inference.predictor import Predictor
from service.registry.repository import Repository
from service.settings import Settings
from service.store.database import Database

repository = Repository.load_one([Settings().zoo], 1, "linear")
predictor = Predictor(repository, "linear", Limits(30, 100, 500))
contexts = ContextService(Database.open(sys.argv[1]), predictor, 10**6, 10**6)
print("ready", flush=True)
for number in itertools.count():
    made = contexts.create("an owner", ContextSpec(ttl=1 if number % 3 else 1000, labels={"k": "v"}))
    if number % 5 == 0:
        contexts.delete("an owner", made.id)
    if number % 20 == 0:
        contexts.sweep()
"""


@pytest.mark.slow
def test_counts_are_exact_after_kill_9(database: Database, database_url: str) -> None:
    for seconds in (0.3, 0.7, 1.3):
        command = [sys.executable, "-c", CHANGES, database_url]
        workers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        for worker in nonempty(workers):
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        time.sleep(seconds)
        for worker in workers:
            worker.kill()
            worker.communicate()
        time.sleep(0.2)  # PostgreSQL ends the transactions of clients that are gone
        assert check_counts(database) > 0
