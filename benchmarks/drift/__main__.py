"""`python -m benchmarks.drift`: all streams, then what an observation costs; five minutes."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.drift import streams
from benchmarks.drift.cost import ROUNDS, costs
from benchmarks.drift.peers import PEERS, errors
from benchmarks.drift.prequential import FIXED, auto, fixed
from benchmarks.drift.report import WARM_UP, Found, mean_square, section
from benchmarks.drift.streams import Stream
from benchmarks.results import parse_out, write
from benchmarks.zoo import model_file
from service.runtime import Runtime


def compare(runtime: Runtime, stream: Stream) -> Found:
    """Run everything on one kind of drift."""
    ours = auto(runtime, stream)
    return Found(
        fixed=mean_square(fixed(runtime, stream)),
        auto=float(mean_square(ours.error)),
        coverage=float(np.nanmean(ours.inside[:, WARM_UP:])),
        peers={name: float(mean_square(errors(make, stream))) for name, make in PEERS.items()},
    )


def main(out: Path, drifting: Iterable[Stream] | None = None, rounds: int = ROUNDS) -> None:
    """Measure, and leave the results."""
    runtime = Runtime.load(model_file("linear"))
    found = {stream.name: compare(runtime, stream) for stream in drifting or streams.streams()}
    cost = costs(runtime, rounds)
    numbers = {
        "factors": FIXED.tolist(),
        "squared_errors": {name: {**one._asdict(), "fixed": one.fixed.tolist()} for name, one in found.items()},
        "cost": {name: one._asdict() for name, one in cost.items()},
    }
    write(out, "drift", numbers, section(found, cost))


if __name__ == "__main__":
    main(parse_out(__doc__))
