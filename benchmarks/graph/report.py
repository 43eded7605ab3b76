"""What was found, as tables and numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.graph.nodes import Kinds
from benchmarks.ratios import Times, quartiles, ratios, told
from benchmarks.table import markdown, verdict

ABOUT = (
    "Each graph through the service's runtime (all outputs, the state among them) beside the same model in numpy, with "
    "one thread each, in turn in one process: medians, and in brackets the quartiles of the ratio within a round. "
    "Held: the state is there, and only the queries come; that saves the pass over observations, and the steps stay. "
    "Of `linear` the readout of the state is there too, as the service keeps it; numpy computes it again."
)
ABOUT_THREADS = (
    "Threads that one run of `linear` may use (`GDSSM_THREADS`); onnxruntime gives a second one only to nodes that are "
    "large enough by its own estimate."
)
ABOUT_NODES = (
    "Nodes as exported and as onnxruntime runs them, and those of the latter that only move or choose numbers."
)

NUMPY_GOAL = 1.2
HELD_GOAL = 1 / 3
GOAL_SIZE = "L"
COPYING = ("Transpose", "Cast", "Expand", "Identity", "Where")
"""Kinds of nodes that only move or choose numbers; the others compute, or tell shapes."""


@dataclass(frozen=True)
class Found:
    """Everything that was measured."""

    times: Mapping[str, Mapping[str, Times]]
    """By model and size; the calls are `graph`, `numpy`, `graph, held` and `numpy, held`."""
    threads: Mapping[str, Times]
    """By size; the calls are numbers of threads."""
    before: Mapping[str, Kinds]
    after: Mapping[str, Kinds]
    sizes: Mapping[str, tuple[int, int, int]]

    def goals(self) -> Iterator[tuple[str, float, float]]:
        """Name every goal, with what was reached and what is wanted at most."""
        for model, by_size in self.times.items():
            times = by_size[GOAL_SIZE]
            yield f"{model}, {GOAL_SIZE}: graph / numpy", ratios(times, "graph", "numpy")[1], NUMPY_GOAL
            yield f"{model}, {GOAL_SIZE}: held / one-shot", ratios(times, "graph, held", "graph")[1], HELD_GOAL

    def numbers(self) -> dict[str, object]:
        """Everything, for a machine."""
        return {
            "sizes": self.sizes,
            "seconds": {m: {s: _summary(times) for s, times in sizes.items()} for m, sizes in self.times.items()},
            "threads": {size: _summary(times) for size, times in self.threads.items()},
            "nodes": {m: {"exported": dict(self.before[m]), "optimised": dict(self.after[m])} for m in self.before},
            "goals": [{"goal": name, "reached": found, "at_most": most} for name, found, most in self.goals()],
        }

    def section(self) -> str:
        """Everything, for people."""
        sizes = "; ".join(f"{s}: N = {n:,}, D = {d}, M = {m:,}" for s, (n, d, m) in self.sizes.items())
        parts = (
            f"## The graphs\n\n{ABOUT} {sizes}.\n",
            self._against_numpy(),
            markdown(["goal", "reached", "at most", ""], [_goal(*goal) for goal in self.goals()]),
            f"{ABOUT_THREADS}\n",
            self._by_threads(),
            f"{ABOUT_NODES}\n",
            self._by_kind(),
        )
        return "\n".join(parts)

    def _against_numpy(self) -> str:
        header = ["model", "size", "graph", "numpy", "graph / numpy", "held", "numpy, held", "held / one-shot"]
        return markdown(
            header,
            [
                [
                    model,
                    size,
                    _microseconds(times["graph"]),
                    _microseconds(times["numpy"]),
                    told(ratios(times, "graph", "numpy")),
                    _microseconds(times["graph, held"]),
                    _microseconds(times["numpy, held"]),
                    told(ratios(times, "graph, held", "graph")),
                ]
                for model, by_size in self.times.items()
                for size, times in by_size.items()
            ],
        )

    def _by_threads(self) -> str:
        rows = []
        for size, times in self.threads.items():
            one, *more = times
            cells = [f"{_microseconds(times[name])} ({told(ratios(times, name, one))})" for name in more]
            rows.append([size, _microseconds(times[one]), *cells])
        names = list(next(iter(self.threads.values())))
        return markdown(["N × D", f"{names[0]} thread", *(f"{name} threads (ratio)" for name in names[1:])], rows)

    def _by_kind(self) -> str:
        rows = [
            [model, *map(str, [before.total(), after.total(), *(after[kind] for kind in COPYING)])]
            for (model, before), after in zip(self.before.items(), self.after.values(), strict=True)
        ]
        return markdown(["model", "exported", "optimised", *COPYING], rows)


def _summary(times: Times) -> dict[str, tuple[float, float, float]]:
    return {name: quartiles(values) for name, values in times.items()}


def _microseconds(values: list[float]) -> str:
    return f"{quartiles(values)[1] * 1e6:,.0f} µs"


def _goal(name: str, found: float, most: float) -> list[str]:
    return [name, f"{found:.3f}", f"{most:.3f}", verdict(found <= most)]
