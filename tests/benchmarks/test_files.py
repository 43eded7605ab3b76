"""The benchmark of many files, on small ones."""

import pytest

from benchmarks.bulk.files import CONTROL, LEARN, PREDICT, Measured, measure, result
from benchmarks.bulk.process import ProcessCost


@pytest.mark.slow
def test_every_command_is_measured() -> None:
    found = measure(rows=800, processes=(1,), repeats=1)
    assert [*found.costs] == [f"{CONTROL}, 1", f"{LEARN}, 1", f"{PREDICT}, 1"]
    assert all(one.megabytes > 10 for one in found.costs.values())


def test_goals_are_judged() -> None:
    def costs(seconds: float) -> Measured:
        names = (f"{CONTROL}, 1", f"{LEARN}, 1", f"{LEARN}, 2")
        times = (seconds, seconds, 0.6 * seconds)
        return Measured(1.0, {name: ProcessCost(time, time, 200) for name, time in zip(names, times, strict=True)})

    found = result({10**6: costs(1), 10**7: costs(8), 10**8: costs(80)})
    assert [goal.met for goal in found.goals] == [True] * 6
    slower = result({10**6: costs(1), 10**7: costs(8), 10**8: costs(200)})
    assert [goal.met for goal in slower.goals] == [True, True, True, False, True, True]
