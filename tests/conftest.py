"""Settings of all tests: repeatable properties, slow files first, a summary at the end, shared servers."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG, create_ssl_context
from httpx._transports import default as transports
from hypothesis import settings

from service.registry import directories
from tests.pgbouncer import PgBouncer
from tests.postgres import Postgres
from tests.redis import RedisServer
from tests.running import Server, running
from tests.shared_models import SharedRuntime

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("repeatable")

# Of requests that give no timeout: a busy machine takes seconds where others take milliseconds.
DEFAULT_TIMEOUT_CONFIG.read = 60.0
# Each httpx.get reads the certificates of all authorities, which takes 20 ms: no test needs them twice.
vars(transports)["create_ssl_context"] = cache(create_ssl_context)
# Loading the models that ship takes 0.4 s, and hundreds of tests open an app or run a command in this process.
vars(directories)["Runtime"] = SharedRuntime

PROCESSES = {"server", "postgres", "postgresql", "pgbouncer", "redis_server", "image"}
"""Fixtures and parameters with which a test starts a process."""

LONGEST = [
    "export/test_zoo.py",
    "deploy/test_image.py",
    "service/api/routes/test_forged_imports.py",
    "gdssm/test_evidence_average.py",
    "service/commands/test_ray.py",
    "service/contexts/test_durability.py",
    "service/evaluations/test_jobs.py",
    "contracts/test_fuzzing.py",
    "contracts/test_shapes.py",
    "service/contexts/test_mixed_kills.py",
    "adversarial/test_shares.py",
    "properties/test_levels.py",
    "service/contexts/test_drift.py",
    "benchmarks/test_serving.py",
]
"""Files that take more than half a minute, the longest first: one that begins last would run alone."""

NOTES = ("not executed", "measured")
"""Names with which `record_property` adds a line to the summary."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that start a process as slow; begin with the longest files, then those with most slow tests.

    So all workers end at about the same time.
    """
    for item in items:
        values = getattr(getattr(item, "callspec", None), "params", {}).values()
        if PROCESSES & {*getattr(item, "fixturenames", ()), *(value for value in values if isinstance(value, str))}:
            item.add_marker("slow")
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    first = {Path(__file__).parent / file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: (first.get(item.path, len(LONGEST)), -slow[item.path]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count skipped tests by reason, which names the package to install; list the notes of tests."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)
    if reasons:
        terminalreporter.section("skipped")
    for reason, tests in reasons.most_common():
        terminalreporter.write_line(f"{tests:5} {'test' if tests == 1 else 'tests'}: {reason}")
    notes = defaultdict[str, set[str]](set)
    for report in (report for found in terminalreporter.stats.values() for report in found):
        for name, value in getattr(report, "user_properties", ()):
            if name in NOTES:
                notes[name].add(str(value))
    for name, lines in notes.items():
        terminalreporter.section(name)
        for line in sorted(lines):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A service with default settings, for tests that neither stop it nor need to be alone in it."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with closing(Postgres()) as server:
        server.start()
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with closing(RedisServer()) as server:
        server.start()
        yield server


@pytest.fixture(scope="session")
def pgbouncer(postgres: Postgres) -> Iterator[PgBouncer]:
    with closing(PgBouncer(postgres)) as pooler:
        pooler.start()
        yield pooler
