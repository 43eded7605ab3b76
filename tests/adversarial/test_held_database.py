"""Reads are answered at once while another process holds the write lock of the database."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.adversarial.attacks import JSON, RIGHT
from tests.running import running

pytestmark = pytest.mark.adversarial

ROWS = {"x": [[1], [2], [3]], "y": [1, 2, 3]}
WRITERS = 8
"""More than there are threads."""


@pytest.mark.slow
def test_reads_do_not_wait_for_a_held_write_lock(tmp_path: Path) -> None:
    file = tmp_path / "gdssm.db"
    with running(GDSSM_DATABASE_URL=f"sqlite:///{file}") as server, ThreadPoolExecutor(WRITERS) as writers:
        contexts = f"{server.url}/v1/contexts"
        made = httpx.post(contexts, json={"model": "linear", "ttl": 20, "observations": ROWS})
        one = f"{contexts}/{made.raise_for_status().json()['id']}"
        time.sleep(1.5)  # now reading it would move the end of its time
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        writes = [writers.submit(httpx.post, f"{one}/observations", json=ROWS, timeout=60) for _ in range(WRITERS)]
        time.sleep(0.5)
        for address in (one, contexts, f"{one}/state", f"{server.url}/v1/evaluations", f"{server.url}/health/ready"):
            assert httpx.get(address).status_code == 200
        assert httpx.post(f"{one}/predictions", json={"query": [[4]]}).status_code == 200
        assert httpx.post(f"{server.url}/v1/predict", content=RIGHT, headers=JSON).status_code == 200
        assert not any(write.done() for write in writes)  # it was held all the time
        other.execute("ROLLBACK")
        assert {write.result().status_code for write in writes} == {200}
        other.close()
