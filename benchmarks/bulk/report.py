"""What is told of it: a table for each file, and the goals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.bulk.contestants import CONTROL, OURS
from benchmarks.bulk.cost import Cost
from benchmarks.table import markdown, verdict

MOST_MEGABYTES = 300
MOST_TIME = 1.5
"""Of numpy's."""
MOST_OFF = 1e-6
HOW = """Every contestant is a process of its own that starts, reads {rows:,} rows of ten inputs and one output (float64
in uncompressed Parquet, {gigabytes:.2f} GB, in the system's cache), answers {queries:,} queries and ends. In turn,
repeats: {repeats}; medians (and all); one thread for arithmetic. *{control}* is the limit: XᵀX, Xᵀy and sums, by the
same reader in the same chunks. Ridge holds everything in memory; SGDRegressor reads twice. *Off* is the most that an
answer is off the contestant's own definition (gdssm's is the model `linear`: ridge regression, averaged over its
strength by evidence), which is computed in float64 by two passes, relative to the spread of the answers."""


@dataclass(frozen=True)
class Result:
    """What a contestant took on one file, and how good its answers are."""

    costs: Sequence[Cost]
    r2: float
    off: float | None
    """None where nothing says what the answers should be."""

    def median(self, what: str) -> float:
        """Of all repeats."""
        return float(np.median([getattr(cost, what) for cost in self.costs]))


@dataclass(frozen=True)
class Found:
    """Everything that was measured."""

    rows: int
    queries: int
    gigabytes: float
    files: Mapping[str, Mapping[str, Result]]
    """By file, then by contestant."""
    hundredth: Cost
    """Of gdssm on a hundredth of the rows."""

    def numbers(self) -> dict[str, object]:
        """Lay it out for JSON."""
        return asdict(self)

    def section(self) -> str:
        """Write the section."""
        repeats = len(next(iter(self.files.values()))[OURS].costs)
        how = HOW.format(
            rows=self.rows, queries=self.queries, gigabytes=self.gigabytes, repeats=repeats, control=CONTROL
        )
        header = ["", "time", "of numpy's", "processor time", "most memory", "R²", "off"]
        tables = [
            f"{name[0].upper()}{name[1:]}:\n\n{markdown(header, self._rows(results))}"
            for name, results in self.files.items()
        ]
        return "\n".join(["## Bulk\n", f"{how}\n", *tables, markdown(["goal", "file", "measured", ""], self._goals())])

    def _rows(self, results: Mapping[str, Result]) -> Iterator[list[str]]:
        for name, result in results.items():
            times = ", ".join(f"{cost.seconds:.2f}" for cost in result.costs)
            yield [
                name,
                f"{result.median('seconds'):.2f} s ({times})",
                f"{_ratio(results, name):.2f}",
                f"{result.median('processor_seconds'):.2f} s",
                f"{result.median('megabytes'):,.0f} MB",
                f"{result.r2:.4f}",
                "" if result.off is None else f"{result.off:.1e}",
            ]

    def _goals(self) -> Iterator[list[str]]:
        for file, results in self.files.items():
            ours = results[OURS]
            memory, ratio = ours.median("megabytes"), _ratio(results, OURS)
            off = ours.off or 0.0
            told = f"{memory:.0f} MB ({self.hundredth.megabytes:.0f} MB on a hundredth of the rows)"
            yield [f"memory under {MOST_MEGABYTES} MB", file, told, verdict(memory < MOST_MEGABYTES)]
            yield [f"within {MOST_TIME} times of numpy", file, f"{ratio:.2f}", verdict(ratio <= MOST_TIME)]
            yield [f"within {MOST_OFF:g} of float64", file, f"{off:.1e}", verdict(off <= MOST_OFF)]


def _ratio(results: Mapping[str, Result], name: str) -> float:
    """How many times as long as numpy: median of what each round says."""
    rounds = zip(results[name].costs, results[CONTROL].costs, strict=True)
    return float(np.median([cost.seconds / control.seconds for cost, control in rounds]))
