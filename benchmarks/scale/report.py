"""What is told of the sizes: tables with their goals, and figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from matplotlib.figure import Figure

from benchmarks.plots import Panel, Points, growth, slope
from benchmarks.scale.contexts import Seconds
from benchmarks.scale.sizes import STREAMED, Swept
from benchmarks.table import markdown, verdict

LINEAR, FLAT = 0.1, 0.05
"""How far a slope may be from 1, and from 0."""
SAME = 1.2
"""Largest ratio of what counts as the same time."""
HOW = """Time and most memory of learning N observations and answering M queries, each size in a process of its own
(model by its file, one thread; D = 10, K = 1, N = 1000, M = 10 where they do not grow; medians of all repeats). A slope
is the power of the size that the two largest decades follow: 1 is linear, 0 is constant. Observations at once also pay
for memory that is new to the process, which a stream uses over and over."""
AMONG = """One call on a context among others of its owner, in process, each change committed to a SQLite file; medians,
round by round through all files. Making one counts what its owner keeps (a quota); other calls look at no other."""


@dataclass(frozen=True)
class Found:
    """Everything that was measured."""

    swept: Sequence[Swept]
    one_more: Mapping[str, Mapping[int, Sequence[float]]]
    """Seconds of every time, by model and by what was seen before."""
    contexts: Mapping[str, Seconds]
    """By model."""

    def numbers(self) -> dict[str, object]:
        """Lay it out for JSON; of times that were taken often, the quartiles in seconds."""
        more = {model: {str(n): _quartiles(s) for n, s in seen.items()} for model, seen in self.one_more.items()}
        contexts = {
            model: {str(n): {call: _quartiles(s) for call, s in calls.items()} for n, calls in seconds.items()}
            for model, seconds in self.contexts.items()
        }
        return {"sizes": [asdict(swept) for swept in self.swept], "one_more": more, "contexts": contexts}

    def section(self) -> str:
        """Write the section."""
        return "\n".join(
            [
                "## Scale\n",
                f"{HOW}\n\n![Time and memory against each size](scale-sizes.svg)\n",
                markdown(["grows", "model", "to", "time", "slope", "memory", "slope"], self._sweeps()),
                f"{AMONG}\n\n![Time against the number of contexts](scale-contexts.svg)\n",
                markdown(["call", "model", "alone", "among", "takes", "ratio"], self._calls()),
                markdown(["goal", "model", "measured", ""], self._goals()),
            ]
        )

    def figures(self) -> dict[str, Figure]:
        """Draw everything, by the name of the file."""
        titles = {swept.title: swept.letter for swept in self.swept}
        sizes = [
            Panel(title, letter, unit, {model: self._line(title, model, what) for model in self.one_more})
            for what, unit in (("seconds", "seconds"), ("megabytes", "most memory, MB"))
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
            spent = [_time(last.seconds), f"{slope(time):z.2f}", f"{last.megabytes:.0f} MB", f"{slope(memory):z.2f}"]
            yield [last.title, last.model, f"{last.letter} = {last.size:,}", *spent]

    def _calls(self) -> Iterator[list[str]]:
        for model, seconds in self.contexts.items():
            for call in next(iter(seconds.values())):
                (_, alone), *_, (most, among) = _medians(seconds, call).items()
                yield [call, model, _time(alone), f"{most:,}", _time(among), f"{among / alone:.2f}"]

    def _goals(self) -> Iterator[list[str]]:
        for model in self.one_more:
            time, memory = (slope(self._line(STREAMED, model, what)) for what in ("seconds", "megabytes"))
            yield _goal("time of a stream: slope 1 in N", model, f"{time:.2f}", met=abs(time - 1) <= LINEAR)
            yield _goal("memory of a stream: slope 0 in N", model, f"{memory:z.3f}", met=abs(memory) <= FLAT)
        for model, seen in self.one_more.items():
            few, many = (float(np.median(seconds)) for seconds in seen.values())
            after = " as after ".join(f"{count:,}" for count in reversed(seen))
            told = f"{many / few:.2f} ({_time(many)})"
            yield _goal(f"one pair more: as long after {after}", model, told, met=many / few <= SAME)
        for model, seconds in self.contexts.items():
            for call in ("observe", "predict"):
                (_, alone), *_, (most, among) = _medians(seconds, call).items()
                told = f"{among / alone:.2f}"
                yield _goal(f"{call}: as long among {most:,} contexts", model, told, met=among / alone <= SAME)


def _medians(seconds: Seconds, call: str) -> dict[float, float]:
    return {count: float(np.median(calls[call])) for count, calls in seconds.items()}


def _quartiles(seconds: Sequence[float]) -> list[float]:
    return [float(value) for value in np.quantile(seconds, [0.25, 0.5, 0.75])]


def _goal(goal: str, model: str, measured: str, *, met: bool) -> list[str]:
    return [goal, model, measured, verdict(met)]


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.0f} µs"
