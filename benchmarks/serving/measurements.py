"""The measurements of serving, and ratios within them: round by round, because a machine drifts between rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from benchmarks.results import short
from benchmarks.serving.load import Case, Measured

Counts = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]
"""Instructions of one request, by contestant, kind and payload; each was counted some times."""


@dataclass(frozen=True)
class Spread:
    """Median, least and largest of one figure over rounds."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """Summarise some rounds; None for no rounds."""
        return cls(median(values), min(values), max(values)) if values else None

    def __str__(self) -> str:
        middle, least, most = map(short, (self.middle, self.least, self.most))
        return middle if least == most else f"{middle} ({least}–{most})"


@dataclass(frozen=True)
class Found:
    """Everything that one run has measured."""

    loads: Sequence[Measured]
    counts: Mapping[str, Counts]
    """By model."""
    counted_by: str
    """The counter of the instructions, or why there is none."""
    skipped: Mapping[str, str]
    """Contestants that were not measured, and the reasons."""

    def to_dict(self) -> dict[str, object]:
        """Return it for JSON."""
        return asdict(self)

    def rounds(self, model: str, case: Case, what: str) -> list[float | None]:
        """Return one figure of every round, None where the round was not valid.

        Args:
            model: Name of a file of the zoo.
            case: Contestant and load.
            what: Name of a field of `Load`.
        """
        found = (measured.rounds for measured in self.loads if (measured.model, measured.case) == (model, case))
        return [None if load.invalid else getattr(load, what) for load in next(found, [])]

    def spread(self, model: str, case: Case, what: str) -> Spread | None:
        """Summarise one figure over all valid rounds."""
        return Spread.of([value for value in self.rounds(model, case, what) if value is not None])

    def ratio(self, model: str, above: Case, below: Case, what: str) -> Spread | None:
        """Divide one figure of two cases, round by round."""
        return _quotient(self.rounds(model, above, what), self.rounds(model, below, what))

    def tail(self, model: str, case: Case) -> Spread | None:
        """Divide the 99th percentile of the latency by its median, round by round."""
        return _quotient(self.rounds(model, case, "p99"), self.rounds(model, case, "p50"))

    def count(self, model: str, contestant: str, kind: str, payload: str) -> Sequence[float]:
        """Return all counts of the instructions of one request; empty if there are none."""
        return self.counts.get(model, {}).get(contestant, {}).get(kind, {}).get(payload, ())

    def count_ratio(self, model: str, above: tuple[str, str], below: tuple[str, str], payload: str) -> Spread | None:
        """Divide the instructions of one request of two contestants, each given with its kind."""
        return _quotient(self.count(model, *above, payload), self.count(model, *below, payload))


def _quotient(above: Sequence[float | None], below: Sequence[float | None]) -> Spread | None:
    """Divide round by round, where both have a figure."""
    return Spread.of([one / other for one, other in zip(above, below, strict=False) if one is not None and other])
