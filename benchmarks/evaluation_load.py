"""Latency of a prediction while an evaluation runs on the same server, compared with the same server without one.

Rounds with and without an evaluation alternate, so that a machine that drifts changes both. One client, one connection.
"""

import time

import httpx
import numpy as np

from benchmarks.results import Result, Table
from tests.running import running

ROUNDS, ROUND_SECONDS = 5, 3.0
CANCEL_SECONDS = 1.5
"""Until the process of a cancelled evaluation has ended: several poll intervals of the service."""
PERCENTILES = (50, 90, 99)
CONTEXT = {"x": [[i, i * i % 7] for i in range(20)], "y": list(range(20))}
PREDICTION = {"model": "linear", "context": CONTEXT, "query": [[3, 1]]}
EVALUATION = {"suite": "paper", "models": ["linear"], "tasks": 2000}


def latencies(client: httpx.Client, seconds: float = ROUND_SECONDS) -> list[float]:
    """Predict repeatedly for one round: seconds of each request."""
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        client.post("/v1/predict", json=PREDICTION).raise_for_status()
        times.append(time.perf_counter() - start)
    return times


def latencies_with_evaluation(client: httpx.Client, seconds: float = ROUND_SECONDS) -> list[float]:
    """Do the same while an evaluation runs.

    Raises:
        RuntimeError: The evaluation ended too early.
    """
    address = client.post("/v1/evaluations", json=EVALUATION).raise_for_status().headers["location"]
    while client.get(address).json()["done"] == 0:
        time.sleep(0.1)
    times = latencies(client, seconds)
    if client.get(address).json()["status"] != "running":
        raise RuntimeError("The evaluation ended before the round did; give it more tasks.")
    client.post(f"{address}/cancel").raise_for_status()
    time.sleep(CANCEL_SECONDS)
    return times


def run(*, quick: bool) -> Result:
    """Measure and report."""
    rounds, seconds = (1, 0.2) if quick else (ROUNDS, ROUND_SECONDS)
    without: list[float] = []
    during: list[float] = []
    with running() as server, httpx.Client(base_url=server.url, timeout=60) as client:
        latencies(client, seconds)
        for _ in range(rounds):
            without += latencies(client, seconds)
            during += latencies_with_evaluation(client, seconds)
    found = {p: (float(np.percentile(without, p)), float(np.percentile(during, p))) for p in PERCENTILES}
    rows = [[f"p{p}", f"{a * 1e3:.2f} ms", f"{b * 1e3:.2f} ms", f"{b / a:.2f}"] for p, (a, b) in found.items()]
    return Result(
        title="Predictions during an evaluation",
        method=__doc__ or "",
        tables=[Table("", ["latency", "without", "during an evaluation", "ratio"], rows)],
        numbers={"seconds": found},
    )
