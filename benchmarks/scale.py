"""Time and memory against every size: observations, columns, outputs, queries, and contexts in the database."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from functools import partial
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.figure import Figure

from benchmarks.databases import ONE, OWNER, QUERY, Filled
from benchmarks.models import predictor_of
from benchmarks.plots import Panel, Points, growth, render, slope
from benchmarks.results import Goal, Result, Table, short_time
from benchmarks.scale_sizes import MODELS, STREAMED, Sizes, Sweep, Swept, one_more, sweep_all
from benchmarks.timing import in_turn, quartiles

LINEAR, FLAT = 0.1, 0.05
"""Largest difference of a power from 1, and from 0."""
SAME = 1.2
"""Largest ratio of two times that count as equal."""
METHOD = """Time and peak memory of learning N observations and answering M queries, each size in a new process (model
by file, one thread; D = 10, K = 1, N = 1000, M = 10 where they do not grow; medians of all repeats). A slope is the
power of the size that the two largest decades follow: 1 is linear, 0 is constant. Observations at once also pay for
memory that is new to the process, which a stream reuses."""
CALLS = """One call on a context among others of its owner, in process, each change committed to a SQLite file; medians,
round by round through all files. Creating one counts the contexts of its owner (a quota); other calls do not."""
QUICK = Sizes([Sweep(STREAMED, "N", "observations", [10, 20], "streamed")], 1, (1, 3), 2, (2, 30), 3)


Seconds = dict[int, dict[str, list[float]]]
"""Of each time, by number of contexts and by call."""


def run(*, quick: bool) -> Result:
    """Measure and report."""
    return measure(QUICK if quick else Sizes())


def measure(sizes: Sizes) -> Result:
    """Measure and report some sizes."""
    return ScaleMeasurements(
        sweep_all(sizes),
        {model: one_more(model, sizes.seen, sizes.one_more_rounds) for model in MODELS},
        {model: among(model, sizes.contexts, sizes.context_rounds) for model in MODELS},
    ).report()


def calls_of(own: Filled) -> Mapping[str, Callable[[], object]]:
    """Return the calls that are timed, each on a random context."""
    contexts, choose = own.contexts, partial(random.choice, own.ids)
    return {
        "observe": lambda: contexts.observe(OWNER, choose(), ONE),
        "predict": lambda: contexts.predict(OWNER, choose(), QUERY),
        "make and remove": lambda: contexts.delete(OWNER, contexts.create(OWNER, own.spec(0)).id),
    }


def among(model: str, counts: Sequence[int], rounds: int) -> Seconds:
    """Time every call in every database, round by round."""
    predictor = predictor_of(model)
    with TemporaryDirectory() as directory, ExitStack() as stack:
        filled = {
            count: stack.enter_context(closing(Filled(f"sqlite:///{directory}/{count}.db", predictor, model, count)))
            for count in counts
        }
        calls = {(count, name): call for count, own in filled.items() for name, call in calls_of(own).items()}
        times = in_turn(calls, rounds)
    seconds: Seconds = {count: {} for count in counts}
    for (count, name), values in times.items():
        seconds[count][name] = values
    return seconds


@dataclass(frozen=True)
class ScaleMeasurements:
    """The measurements."""

    swept: Sequence[Swept]
    one_more: Mapping[str, Mapping[int, Sequence[float]]]
    """Seconds of each time, by model and by observations before."""
    contexts: Mapping[str, Seconds]
    """By model."""

    def numbers(self) -> dict[str, object]:
        """Return the measurements; of times of many repeats, the quartiles in seconds."""
        more = {model: {str(n): quartiles(s) for n, s in seen.items()} for model, seen in self.one_more.items()}
        contexts = {
            model: {str(n): {call: quartiles(s) for call, s in calls.items()} for n, calls in seconds.items()}
            for model, seconds in self.contexts.items()
        }
        return {"sizes": [asdict(swept) for swept in self.swept], "one_more": more, "contexts": contexts}

    def report(self) -> Result:
        """Lay out the measurements."""
        calls = ["call", "model", "alone", "contexts", "time", "ratio"]
        return Result(
            title="Scale",
            method=METHOD,
            tables=[
                Table("", ["grows", "model", "to", "time", "slope", "memory", "slope"], list(self._sweeps())),
                Table(CALLS, calls, list(self._calls())),
            ],
            goals=list(self._goals()),
            numbers=self.numbers(),
            figures={name: render(figure, name) for name, figure in self.figures().items()},
        )

    def figures(self) -> dict[str, Figure]:
        """Draw all figures, by the name of the file."""
        titles = {swept.title: swept.letter for swept in self.swept}
        sizes = [
            Panel(title, letter, unit, {model: self._line(title, model, what) for model in self.one_more})
            for what, unit in (("seconds", "seconds"), ("megabytes", "peak memory, MB"))
            for title, letter in titles.items()
        ]
        contexts = [
            Panel(
                model, "contexts", "seconds", {call: _medians(seconds, call) for call in next(iter(seconds.values()))}
            )
            for model, seconds in self.contexts.items()
        ]
        return {"scale-sizes": growth(sizes, columns=len(titles)), "scale-contexts": growth(contexts)}

    def _line(self, title: str, model: str, what: str) -> Points:
        return {s.size: getattr(s, what) for s in self.swept if (s.title, s.model) == (title, model)}

    def _sweeps(self) -> Iterator[list[str]]:
        for last in {(swept.title, swept.model): swept for swept in self.swept}.values():
            time, memory = (self._line(last.title, last.model, what) for what in ("seconds", "megabytes"))
            spent = [
                short_time(last.seconds),
                f"{slope(time):z.2f}",
                f"{last.megabytes:.0f} MB",
                f"{slope(memory):z.2f}",
            ]
            yield [last.title, last.model, f"{last.letter} = {last.size:,}", *spent]

    def _calls(self) -> Iterator[list[str]]:
        for model, seconds in self.contexts.items():
            for call in next(iter(seconds.values())):
                (_, alone), *_, (most, among) = _medians(seconds, call).items()
                yield [call, model, short_time(alone), f"{most:,}", short_time(among), f"{among / alone:.2f}"]

    def _goals(self) -> Iterator[Goal]:
        for model in self.one_more:
            time, memory = (slope(self._line(STREAMED, model, what)) for what in ("seconds", "megabytes"))
            yield Goal(f"{model}: time of a stream, power of N", "1 ± 0.1", f"{time:.2f}", abs(time - 1) <= LINEAR)
            yield Goal(f"{model}: memory of a stream, power of N", "0 ± 0.05", f"{memory:z.3f}", abs(memory) <= FLAT)
        for model, seen in self.one_more.items():
            (few, first), (many, last) = ((count, float(np.median(seconds))) for count, seconds in seen.items())
            measure = f"{model}: one observation after {many:,} ÷ after {few:,}"
            yield _ratio_goal(measure, last / first, f" ({short_time(last)})")
        for model, seconds in self.contexts.items():
            for call in ("observe", "predict"):
                (_, alone), *_, (most, among) = _medians(seconds, call).items()
                yield _ratio_goal(f"{model}: {call} among {most:,} contexts ÷ alone", among / alone)


def _medians(seconds: Seconds, call: str) -> dict[float, float]:
    return {count: float(np.median(calls[call])) for count, calls in seconds.items()}


def _ratio_goal(measure: str, ratio: float, note: str = "") -> Goal:
    return Goal(measure, f"≤ {SAME:g}", f"{ratio:.2f}{note}", ratio <= SAME)
