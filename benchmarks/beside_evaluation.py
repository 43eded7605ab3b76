"""What a prediction takes while an evaluation runs on the same server, relative to what it takes while none does.

Rounds with and without alternate, so that a machine that drifts changes both.
"""

import time

import httpx
import numpy as np

from benchmarks.table import hardware, markdown
from tests.running import running

ROUNDS = 5
SECONDS = 3.0
"""Of each round."""
SETTLING = 1.5
"""Seconds until the process of a cancelled evaluation is gone: two looks of its keeper."""
PERCENTILES = (50, 90, 99)
CONTEXT = {"x": [[i, i * i % 7] for i in range(20)], "y": list(range(20))}
PREDICTION = {"model": "linear", "context": CONTEXT, "query": [[3, 1]]}
EVALUATION = {"suite": "paper", "models": ["linear"], "tasks": 2000}


def latencies(client: httpx.Client) -> list[float]:
    """Predict again and again for one round: seconds of each."""
    times, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        client.post("/v1/predict", json=PREDICTION).raise_for_status()
        times.append(time.perf_counter() - start)
    return times


def beside(client: httpx.Client) -> list[float]:
    """Do the same while an evaluation runs."""
    address = client.post("/v1/evaluations", json=EVALUATION).raise_for_status().headers["location"]
    while client.get(address).json()["done"] == 0:  # it computes
        time.sleep(0.1)
    times = latencies(client)
    if client.get(address).json()["status"] != "running":
        raise RuntimeError("The evaluation ended before the round did; give it more tasks.")
    client.post(f"{address}/cancel").raise_for_status()
    time.sleep(SETTLING)
    return times


def main() -> None:
    """Print the table."""
    alone: list[float] = []
    accompanied: list[float] = []
    with running() as server, httpx.Client(base_url=server.url, timeout=60) as client:
        latencies(client)
        for _ in range(ROUNDS):
            alone += latencies(client)
            accompanied += beside(client)
    print(f"{hardware()}\n")
    rows = [
        [f"p{p}", f"{a * 1e3:.2f} ms", f"{b * 1e3:.2f} ms", f"{b / a:.2f}"]
        for p, a, b in zip(
            PERCENTILES, np.percentile(alone, PERCENTILES), np.percentile(accompanied, PERCENTILES), strict=True
        )
    ]
    print(markdown(["latency", "alone", "beside an evaluation", "ratio"], rows))


if __name__ == "__main__":
    main()
