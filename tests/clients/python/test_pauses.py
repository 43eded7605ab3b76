"""The pauses between requests for the progress of an evaluation grow, and end with the time that was given."""

import json
from typing import Any

import pytest

from gdssm_client import Client
from gdssm_client.errors import ClientError, Unfinished
from gdssm_client.pauses import FIRST_PAUSE, LONGEST_PAUSE, Pauses
from tests.clients.python.stand_in import Reply, standing_in

MODEL = {"name": "linear", "version": "2.0.0", "sha256": "0" * 64}
RUNNING: dict[str, Any] = {
    "id": "a" * 32,
    "status": "running",
    "suite": "paper",
    "models": [MODEL],
    "done": 0,
    "total": 3,
    "created": "2026-11-28T08:00:00Z",
    "finished": None,
    "reason": None,
    "seed": 0,
    "sizes": {"tasks": 1, "queries": 1, "observations": 5, "curve": [2]},
    "results": [],
}


def test_pauses_grow_up_to_the_longest_and_are_short_again_after_progress() -> None:
    pauses = Pauses(None)
    found = [pauses.next(progress=False) or 0.0 for _ in range(20)]
    assert found[0] == FIRST_PAUSE
    assert found == sorted(found)
    assert found[1] > FIRST_PAUSE
    assert found[-1] == LONGEST_PAUSE
    assert pauses.next(progress=True) == FIRST_PAUSE
    assert pauses.next(progress=False) == found[1]


def test_the_last_pause_ends_with_the_time_and_none_follows() -> None:
    pause = Pauses(FIRST_PAUSE / 100).next(progress=True)
    assert pause is None or pause <= FIRST_PAUSE / 100
    assert Pauses(0).next(progress=True) is None


def test_an_evaluation_that_does_not_end_is_reported_after_the_deadline() -> None:
    with standing_in(Reply(200, json.dumps(RUNNING).encode())) as service, Client(service.url, api_key="") as client:
        evaluation = client.evaluations.get(RUNNING["id"])
        with pytest.raises(Unfinished, match=r"is running after 0\.3 s, with 0 of 3 results\. Wait again") as late:
            evaluation.wait(deadline=0.3)
        assert isinstance(late.value, ClientError)
        assert isinstance(late.value, TimeoutError)
        assert 2 <= len(service.asked) <= 6
