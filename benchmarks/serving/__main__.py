"""The service beside peers and beside the limit: requests, processor time, instructions, latency."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.plots import save
from benchmarks.results import parse_out, write
from benchmarks.serving.contestants import CONTROLS, FASTAPI, OTHERS, OURS, Contestant
from benchmarks.serving.environments import installed
from benchmarks.serving.found import Counts, Found
from benchmarks.serving.goals import MODEL, tails
from benchmarks.serving.grid import Grid
from benchmarks.serving.instructions import Counter, counter
from benchmarks.serving.instructions import measure as count
from benchmarks.serving.programs import fetched
from benchmarks.serving.report import figure, section
from benchmarks.serving.rounds import Measured, measure
from benchmarks.serving.servers import Disqualified

MODELS = (MODEL, "linear")
AT_ONCE = 2
"""Counts are the same whatever runs beside; times would not be."""


def main(out: Path, grid: Grid) -> None:
    """Measure, and leave the results."""
    skipped: dict[str, str] = {}
    light, heavy = (OURS, *CONTROLS, *FASTAPI), installed(OTHERS, skipped)
    loads = loaded(light, heavy, grid, skipped)
    with counter() as by:
        who = {model: light if model == MODEL else (OURS, *CONTROLS) for model in MODELS}
        counts = {model: counted(who[model], model, by, grid) for model in MODELS} if by else {}
        counted_by = by.name if by else "nothing: neither the processor's counters nor valgrind are here"
    found = Found(loads, counts, counted_by, skipped)
    peers = [contestant.name for contestant in (*FASTAPI, *OTHERS)]
    save(figure(found), out / "serving-cost.svg")
    write(out, "serving", found.to_dict(), section(found, peers))


def loaded(
    light: tuple[Contestant, ...], heavy: list[Contestant], grid: Grid, skipped: dict[str, str]
) -> list[Measured]:
    """Load everybody with the first model, and the light ones with the others too."""
    if not fetched("wrk"):
        skipped["wrk"] = "it is not installed, and apt-get could not install it"
        return []
    everyone = {contestant.name: contestant for contestant in (*light, *heavy)}
    found = measure(everyone, MODEL, grid.cases(light, heavy), grid.times, skipped)
    for further in measure(everyone, MODEL, tails(), grid.further_times, skipped):
        next(measured for measured in found if measured.case == further.case).rounds.extend(further.rounds)
    for model in MODELS[1:]:
        found += measure(everyone, model, grid.further_cases(light), grid.times, skipped)
    if OURS.name in skipped:
        raise SystemExit(f"There is nothing to compare: {skipped[OURS.name]}")
    return found


def counted(light: tuple[Contestant, ...], model: str, by: Counter, grid: Grid) -> Counts:
    """Count the instructions of everyone who is one process."""

    def one(contestant: Contestant) -> dict[str, dict[str, list[float]]]:
        try:
            return count(contestant, model, by, payloads=grid.payloads)
        except Disqualified as error:
            print(f"{contestant.name} is not counted: {error}", flush=True)
            return {}

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(one, light))
    return {contestant.name: counts for contestant, counts in zip(light, found, strict=True) if counts}


if __name__ == "__main__":
    main(parse_out(__doc__), Grid())
