"""Serving: our service, hand-written servers and peers on the same model file, one worker on one core."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks.results import Result
from benchmarks.serving.environments import has_program, installed
from benchmarks.serving.instructions import Counter, counter
from benchmarks.serving.instructions import measure as count
from benchmarks.serving.load import Case, Measured, Times, measure
from benchmarks.serving.measurements import MODEL, Counts, ServingMeasurements, tails
from benchmarks.serving.report import report
from benchmarks.serving.servers import Disqualified
from benchmarks.serving.specs import CONTROLS, FASTAPI, OTHERS, OURS, ServerSpec

PARALLEL_COUNTS = 2
"""Counts do not depend on the load of the machine; times would."""


@dataclass(frozen=True)
class Grid:
    """The payloads, connections and rounds that are measured."""

    payloads: Sequence[str] = ("S", "M", "L")
    heavy_payloads: Sequence[str] = ("S", "L")
    """For servers with a separate environment."""
    connections: Sequence[int] = (1, 32, 128)
    further_connections: Sequence[int] = (32,)
    """For models after the first."""
    times: Times = field(default_factory=Times)
    further_times: Times = field(default_factory=lambda: Times(rounds=3, seconds=3.0))
    """Of the latency of ours; so long that the first answers of a run are not among the slowest hundredth."""
    models: Sequence[str] = (MODEL, "linear")

    def cases(self, light: Iterable[ServerSpec], heavy: Iterable[ServerSpec]) -> list[Case]:
        """List the cases of the first model."""
        return [
            *_cases(light, self.payloads, self.connections),
            *_cases(heavy, self.heavy_payloads, self.connections),
        ]

    def further_cases(self, light: Iterable[ServerSpec]) -> list[Case]:
        """List the cases of any other model."""
        return list(_cases(light, self.payloads, self.further_connections))


def _cases(specs: Iterable[ServerSpec], payloads: Sequence[str], connections: Sequence[int]) -> Iterator[Case]:
    for spec in specs:
        for kind in spec.forms:
            for payload in payloads:
                for number in connections:
                    yield Case(spec.name, kind, payload, number)


QUICK = Grid(("S",), ("S",), (32,), times=Times(1, 0.2), further_times=Times(1, 0.2), models=(MODEL,))


def run(*, quick: bool) -> Result:
    """Measure and report; a quick run has no peers with a separate environment, and counts no instructions."""
    skipped: dict[str, str] = {}
    grid, light = QUICK if quick else Grid(), (OURS, *CONTROLS, *FASTAPI)
    heavy = [] if quick else installed(OTHERS, skipped)
    loads = loaded(light, heavy, grid, skipped)
    counts: dict[str, Counts] = {}
    counted_by = "nothing"
    if not quick:
        with counter() as by:
            names = {model: light if model == MODEL else (OURS, *CONTROLS) for model in grid.models}
            counts = {model: counted(names[model], model, by, grid) for model in grid.models} if by else {}
            counted_by = by.name if by else "nothing: neither perf's counters nor valgrind are available"
    found = ServingMeasurements(loads, counts, counted_by, skipped)
    return report(found, [spec.name for spec in (*FASTAPI, *OTHERS)])


def loaded(
    light: Sequence[ServerSpec], heavy: Sequence[ServerSpec], grid: Grid, skipped: dict[str, str]
) -> list[Measured]:
    """Load all servers with the first model, and the light ones with the others too."""
    if not has_program("wrk"):
        skipped["wrk"] = "it is not installed, and apt-get could not install it"
        return []
    first, *others = grid.models
    specs = {spec.name: spec for spec in (*light, *heavy)}
    found = measure(specs, first, grid.cases(light, heavy), grid.times, skipped)
    own = [case for case in tails() if case.payload in grid.payloads]
    for further in measure(specs, first, own, grid.further_times, skipped):
        next(measured for measured in found if measured.case == further.case).rounds.extend(further.rounds)
    for model in others:
        found += measure(specs, model, grid.further_cases(light), grid.times, skipped)
    if OURS.name in skipped:
        raise SystemExit(f"There is nothing to compare: {skipped[OURS.name]}")
    return found


def counted(light: Sequence[ServerSpec], model: str, by: Counter, grid: Grid) -> Counts:
    """Count the instructions of every server of one process."""

    def one(spec: ServerSpec) -> dict[str, dict[str, list[float]]]:
        try:
            return count(spec, model, by, payloads=grid.payloads)
        except Disqualified as error:
            print(f"{spec.name} is not counted: {error}", flush=True)
            return {}

    with ThreadPoolExecutor(PARALLEL_COUNTS) as pool:
        found = list(pool.map(one, light))
    return {spec.name: counts for spec, counts in zip(light, found, strict=True) if counts}
