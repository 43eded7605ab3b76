"""What a context costs once it is in a state, beside a ridge that is fitted anew for every observation.

Each peer answers one query after one observation more, having seen N; times are medians of one interleaved run, and
what counts is their ratio. The runtime is called in process, so nothing of HTTP is in it.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

import service
from benchmarks.table import hardware, markdown
from service.runtime import Runtime

Array = NDArray[np.float64]
INPUTS = 10
SIZES = (100, 1_000, 10_000, 100_000)
REPEATS = 60
MODELS = ("gd-1", "gd-8", "linear")


def timers(size: int) -> dict[str, Callable[[], object]]:
    """Make what is timed for a context of N observations: one more, then one query."""
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(1, size, INPUTS)), generator.normal(size=(1, size, 1))
    one = {"x": x[:, :1], "y": y[:, :1], "x_query": x[:, 1:2]}
    calls: dict[str, Callable[[], object]] = {}
    for name in MODELS:
        runtime = Runtime.load(Path(service.__file__).parent / "zoo" / f"{name}.onnx")
        state = runtime.state_after(runtime.run({"x": x, "y": y}))
        calls[name] = lambda runtime=runtime, state=state: runtime.run({**state, **one})  # type: ignore[misc]
    calls["ridge, refitted"] = lambda: Ridge().fit(x[0], y[0]).predict(one["x_query"][0])
    return calls


def medians(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Time every call in turn, again and again: the median in seconds by name."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(REPEATS):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in times.items()}


def main() -> None:
    """Print the table."""
    print(f"one observation more and one query, D = {INPUTS}; {hardware()}\n")
    rows = []
    for size in SIZES:
        seconds = medians(timers(size))
        ridge = seconds.pop("ridge, refitted")
        cells = [f"{value * 1e6:.0f} µs ({ridge / value:.1f}× faster)" for value in seconds.values()]
        rows.append([f"{size:,}", *cells, f"{ridge * 1e6:.0f} µs"])
    print(markdown(["seen", *MODELS, "ridge, refitted"], rows))


if __name__ == "__main__":
    main()
