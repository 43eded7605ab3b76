"""`gdssm bench`: the latency and throughput of a service, as a client measures them."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click
import numpy as np

from service.commands.options import example, json_option, print_json, service_options

if TYPE_CHECKING:
    from gdssm_client.client import Client

PERCENTILES = (50, 90, 99)
WARM_UP_CALLS = 3
"""Of each thread, not counted."""


@click.command("bench", epilog=example("gdssm bench --url http://127.0.0.1:8000 --concurrency 4 --seconds 10"))
@service_options
@click.option("--model", metavar="NAME", help="The service's default if left out.")
@click.option("--observations", type=click.IntRange(1), default=100, show_default=True, help="In each context.")
@click.option("--inputs", type=click.IntRange(1), default=10, show_default=True, help="Columns of x.")
@click.option("--queries", type=click.IntRange(1), default=1, show_default=True, help="In each request.")
@click.option("--concurrency", type=click.IntRange(1, 256), default=1, show_default=True, help="Requests at a time.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=5.0, show_default=True)
@json_option
def command(
    *,
    url: str | None,
    api_key: str | None,
    model: str | None,
    observations: int,
    inputs: int,
    queries: int,
    concurrency: int,
    seconds: float,
    as_json: bool,
) -> None:
    """Measure latency and throughput of predictions.

    `make bench` runs the benchmarks of the README.
    """
    from gdssm_client import Client  # noqa: PLC0415  (httpx is an extra)

    generator = np.random.default_rng(0)
    x, query = generator.normal(size=(observations, inputs)), generator.normal(size=(queries, inputs))
    y = x @ generator.normal(size=inputs)

    def measure(client: "Client") -> list[float]:
        times: list[float] = []
        for i in range(-WARM_UP_CALLS, 10**9):
            start = time.perf_counter()
            client.predict(x, y, query, model=model)
            end = time.perf_counter()
            if i >= 0:
                times.append(end - start)
            if i >= 0 and end > deadline:
                break
        return times

    with Client(url, api_key=api_key) as client, ThreadPoolExecutor(concurrency) as pool:
        begin = time.perf_counter()
        deadline = begin + seconds
        times = np.concatenate(list(pool.map(measure, [client] * concurrency)))
        elapsed = time.perf_counter() - begin
    milliseconds = {f"p{p}": float(np.percentile(times, p)) * 1e3 for p in PERCENTILES}
    if as_json:
        rate = len(times) / elapsed
        print_json({"requests": len(times), "seconds": elapsed, "a_second": rate, "milliseconds": milliseconds})
        return
    latencies = ", ".join(f"{name} {value:.2f} ms" for name, value in milliseconds.items())
    click.echo(f"{len(times)} requests in {elapsed:.1f} s: {len(times) / elapsed:.0f} a second; {latencies}")
