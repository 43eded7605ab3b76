"""At ten times its capacity the service answers admitted requests correctly, and refuses the others at once."""

import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.running import Server, running

BOUND, CLIENTS, EACH = 4, 40, 10
ROWS = 1009


def task(slope: int) -> dict[str, object]:
    """Return a request that runs in a thread."""
    x = [[float(i)] for i in range(ROWS)]
    return {"context": {"x": x, "y": [slope * i for (i,) in x]}, "query": [[10.0], [20.0]]}


def resident(server: Server) -> int:
    """Bytes of memory."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def ask(server: Server, client: int) -> list[tuple[int, float]]:
    """Send requests over one connection; returns the status and the seconds of each."""
    body, answers = task(client + 1), []
    with httpx.Client(base_url=server.url, timeout=60) as connection:
        for _ in range(EACH):
            begin = time.monotonic()
            answer = connection.post("/v1/predict", json=body)
            answers.append((answer.status_code, time.monotonic() - begin))
            if answer.status_code == 200:
                assert answer.json()["prediction"] == pytest.approx([10 * (client + 1), 20 * (client + 1)], rel=1e-3)
            else:
                assert answer.json()["error_type"] == "overloaded"
                assert answer.headers["retry-after"] == "1"
    return answers


@pytest.mark.slow
def test_tenfold_load_is_answered_or_refused_with_constant_memory() -> None:
    with running(GDSSM_MAX_IN_FLIGHT=str(BOUND), GDSSM_POOL_THREADS="2") as server:
        ask(server, 0)
        before = resident(server)
        probed, over = [], threading.Event()

        def probe() -> None:
            while not over.wait(0.05):
                probed.append(httpx.get(f"{server.url}/health/ready", timeout=60).status_code)

        with ThreadPoolExecutor(CLIENTS + 1) as crowd:
            probing = crowd.submit(probe)
            try:
                asking = [crowd.submit(ask, server, client) for client in range(CLIENTS)]
                answers = [answer for asked in asking for answer in asked.result()]
            finally:
                over.set()
            probing.result()
        statuses = [status for status, _ in answers]
        assert set(statuses) == {200, 503}
        assert statuses.count(200) >= EACH
        assert set(probed) == {200}  # probes succeed under load
        assert resident(server) - before < 100 * 2**20
        assert {status for status, _ in ask(server, 0)} == {200}
        text = httpx.get(f"{server.url}/metrics").text
        assert float(re.findall(r'gdssm_refused_total{cause="overloaded"} (\S+)', text)[0]) == statuses.count(503)
        assert "gdssm_in_flight 0.0" in text
        assert server.stop() == 0
