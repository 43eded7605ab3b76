"""kill −9 while clients of every kind change contexts: acknowledged changes count once, and others not at all.

Two replicas on one database; the client of Python, streams, merges, take-outs, imports, creations and deletions, all
sent again after a break. What the contexts hold is compared with the rows that the answers speak of.
"""

import random
import re
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load

from gdssm_client import Client, attempts
from gdssm_client.contexts import Context
from service.states.tensors import unpacked
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.pgbouncer import PgBouncer
from tests.postgres import Postgres
from tests.service.contexts.acknowledged import Acknowledged, Contents
from tests.service.contexts.mixed_load import LONGEST_PAUSE, PAUSE, QUERY, SCALE, MixedLoad
from tests.service.replicas import Replica, replicas_on

SEED = "moments to kill at"
CHANGES = (30, 120)
"""Acknowledged between a start and the next kill, at least and at most."""
PROGRESS_TIMEOUT = 60.0
"""Seconds for that."""
EXACT = 1e-9
"""Of sums and predictions: the rows are added in another order."""

Victim = Replica | Postgres | PgBouncer


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client try again many times within one break."""
    monkeypatch.setattr(attempts, "BACKOFF_FACTOR", PAUSE)
    monkeypatch.setattr(attempts, "RETRY_WAIT_LIMIT", LONGEST_PAUSE)


@pytest.mark.slow
def test_on_sqlite(tmp_path: Path) -> None:
    with replicas_on(f"sqlite:///{tmp_path}/gdssm.db") as replicas:
        one, other = replicas
        survive(replicas, [[one], [one, other]])


@pytest.mark.slow
def test_on_postgresql(postgres: Postgres) -> None:
    with replicas_on(postgres.empty_database()) as replicas:
        one, other = replicas
        survive(replicas, [[one], [postgres], [postgres, other]])


@pytest.mark.slow
def test_through_pgbouncer(postgres: Postgres, pgbouncer: PgBouncer) -> None:
    with replicas_on(pgbouncer.empty_database()) as replicas:
        one, _ = replicas
        survive(replicas, [[pgbouncer], [postgres], [postgres, pgbouncer, one]])


def survive(replicas: list[Replica], victims: Iterable[list[Victim]]) -> None:
    """Kill some at each of the moments, then check the contexts."""
    generator = random.Random(SEED)  # noqa: S311  (moments)
    mixed = MixedLoad([replica.url for replica in replicas])
    mixed.start()
    try:
        for those in victims:
            mixed.acknowledged.wait_for_more(generator.randint(*CHANGES), PROGRESS_TIMEOUT)
            time.sleep(generator.uniform(0, 0.05))
            restart(those)
        mixed.acknowledged.wait_for_more(CHANGES[0], PROGRESS_TIMEOUT)
    finally:
        mixed.stop()
    mixed.acknowledged.check_clients()
    for replica in nonempty(replicas):
        replica.kill()
        assert set(re.findall(r" (5\d\d) [\d.]+ ms ", replica.log)) <= {"503"}
        assert "Traceback" not in replica.log, replica.log
    replicas[0].start()
    with Client(replicas[0].url) as client:
        check(mixed.acknowledged, client)


def restart(those: Iterable[Victim]) -> None:
    """Kill all of them, then start them again, the database first: no service starts without."""
    for victim in those:
        victim.kill()
    for victim in those:
        victim.start()


def check(acknowledged: Acknowledged, client: Client) -> None:
    """Compare every context with the acknowledged changes."""
    acknowledged.check_sequence()
    kept, contents = acknowledged.kept(), Contents(acknowledged)
    found = {context.id: context for context in client.contexts.list(limit=1000).items}
    assert found.keys() == kept.keys()
    assert {name: context.record.version for name, context in found.items()} == {
        name: version for name, (version, _) in kept.items()
    }
    with Client() as here:
        for name, (version, last) in kept.items():
            assert found[name].record.n_observations == last.n_observations
            check_contents(found[name], here, *contents.weighted_rows(name, version))


def check_contents(context: Context, here: Client, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> None:
    """Compare sums and predictions with those of one that has observed the rows at once, and the first with numpy."""
    model = context.record.model.name
    expected = here.contexts.create(model, scale=SCALE if model == "nonlinear" else None)
    expected.observe(x, y, weight=weight)
    actual, reference = (unpacked(load(one.export())) for one in (context, expected))
    z = np.column_stack([y, x])
    assert actual["state.count"] == weight.sum()
    assert_close(actual["state.mean"][0], np.average(z, axis=0, weights=weight), "mean", rtol=EXACT)
    for sums in sorted({"state.mean", "state.comoment", "state.feature_mean"} & reference.keys()):
        assert_close(actual[sums], reference[sums], sums, rtol=EXACT)
    assert_close(context.predict(QUERY).prediction, expected.predict(QUERY).prediction, "prediction", rtol=EXACT)
