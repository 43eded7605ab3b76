"""Two replicas on one PostgreSQL database: what one changes, predictions of the other show."""

import time
from itertools import count

import httpx
import pytest

from gdssm_client import Client
from tests.nonempty import nonempty
from tests.postgres import Postgres
from tests.service.replicas import Replica, replicas_on

TIMEOUT = 60.0
LONG = 3600
X, Y = [[float(i), float(i % 3)] for i in range(8)], [2.0 * i for i in range(8)]


def in_batch(replica: Replica, context: str) -> int:
    """Predict in a batch from a state of any age; returns how many observations it has."""
    body = {"items": [{"context": context, "query": X}]}
    answer = httpx.post(f"{replica.url}/v1/predictions", json=body, headers={"Cache-Control": f"max-age={LONG}"})
    found: int = answer.json()["results"][0]["n_observations"]
    return found


@pytest.mark.slow
def test_a_change_ends_the_use_of_older_states_elsewhere(postgres: Postgres) -> None:
    with (
        replicas_on(postgres.empty_database()) as replicas,
        Client(replicas[0].url) as client,
        Client(replicas[1].url) as elsewhere,
    ):
        context = client.contexts.create("linear")
        context.observe(X, Y)
        other = elsewhere.contexts.get(context.id)
        for change in nonempty(range(1, 4)):
            assert other.predict(X, max_age=LONG).n_observations == 8 * change
            assert in_batch(replicas[1], context.id) == 8 * change
            context.observe(X, Y)
            deadline = time.monotonic() + TIMEOUT
            for _ in count():
                if other.predict(X, max_age=LONG).n_observations == 8 * (change + 1):
                    assert in_batch(replicas[1], context.id) == 8 * (change + 1)
                    break
                assert time.monotonic() < deadline, "no notice came"
                time.sleep(0.02)
