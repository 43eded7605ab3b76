"""The value of a case: medians over the splits of one table, one size of context and one contestant."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np

from benchmarks.accuracy.records import Record

SECONDS = "seconds"


class CaseKey(NamedTuple):
    """A case and a contestant."""

    n: int
    """Rows of context."""
    table: str
    contestant: str


@dataclass(frozen=True)
class Cases:
    """The values of all cases of one task, by measure, then by case and contestant.

    Attributes:
        values: Medians over splits; a case in which a contestant failed on a split has none of that contestant.
        splits: The smallest number of splits of any case.
        errors: One message for each case and contestant that failed.
    """

    values: dict[str, dict[CaseKey, float]]
    splits: int
    errors: dict[CaseKey, str]

    @property
    def sizes(self) -> list[int]:
        """List the sizes of context, ascending."""
        return sorted({key.n for key in self.values.get(SECONDS, {})})

    @property
    def contestants(self) -> list[str]:
        """List the contestants in the order of the records."""
        return list(dict.fromkeys(key.contestant for key in self.values.get(SECONDS, {})))

    def of(self, measure: str, contestant: str, n: int | None = None) -> dict[tuple[int, str], float]:
        """Select the values of one measure for one contestant by (n, table), at one size or at all."""
        return {
            key[:2]: value
            for key, value in self.values.get(measure, {}).items()
            if key.contestant == contestant and n in {None, key.n}
        }


def summarize(records: Iterable[Record], task: str) -> Cases:
    """Take medians over splits of the records of one task; of coverage, which is a probability, means."""
    chosen = [record for record in records if record.task == task]
    places = {key: place for place, key in enumerate(dict.fromkeys(map(_case, chosen)))}
    chosen.sort(key=lambda record: places[_case(record)])
    cases = Cases({}, 0, {})
    sizes = []
    for key, group in groupby(chosen, key=_case):
        found = list(group)
        sizes.append(len(found))
        if errors := [record.error for record in found if record.error]:
            cases.errors[key] = errors[0]
            continue
        for name in (*found[0].measures, SECONDS):
            values = [record.seconds if name == SECONDS else record.measures[name] for record in found]
            cases.values.setdefault(name, {})[key] = float(
                np.mean(values) if name.startswith("coverage") else np.median(values)
            )
    return Cases(cases.values, min(sizes, default=0), cases.errors)


def _case(record: Record) -> CaseKey:
    return CaseKey(record.key.n, record.key.table, record.key.contestant)
