"""What is measured of whom."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.serving.contestants import Contestant
from benchmarks.serving.rounds import Case, Times


@dataclass(frozen=True)
class Grid:
    """How much is measured."""

    payloads: Sequence[str] = ("S", "M", "L")
    heavy_payloads: Sequence[str] = ("S", "L")
    """For those who need an environment of their own."""
    connections: Sequence[int] = (1, 32, 128)
    further_connections: Sequence[int] = (32,)
    """For models after the first."""
    times: Times = field(default_factory=Times)
    further_times: Times = field(default_factory=lambda: Times(rounds=3, seconds=3.0))
    """Of the slowest answers, which stand beside nobody; so long that the first ones of a run are not among them."""

    def cases(self, light: Iterable[Contestant], heavy: Iterable[Contestant]) -> list[Case]:
        """List what is measured with the first model."""
        return [
            *_cases(light, self.payloads, self.connections),
            *_cases(heavy, self.heavy_payloads, self.connections),
        ]

    def further_cases(self, light: Iterable[Contestant]) -> list[Case]:
        """List what is measured with any other."""
        return list(_cases(light, self.payloads, self.further_connections))


def _cases(who: Iterable[Contestant], payloads: Sequence[str], connections: Sequence[int]) -> Iterator[Case]:
    for contestant in who:
        for kind in contestant.forms:
            for payload in payloads:
                for number in connections:
                    yield Case(contestant.name, kind, payload, number)
