"""The benchmarks of many files, on small ones, and of a Ray cluster: costs, notes and goals."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.files import (
    CONTROL,
    LEARN,
    PREDICT,
    Measured,
    in_processes,
    measure,
    measure_on_ray,
    on_nodes,
    ray_result,
    result,
)
from benchmarks.files import Learnt as Built
from benchmarks.processes import ProcessCost
from benchmarks.ray_engines import ENGINES, TASKS, Notes, OnRow, noting
from service.datasets.engine import AnyTask
from service.datasets.ray_engine import RayEngine
from tests.ray_cluster import needs_engines


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


@dataclass(frozen=True)
class Number:
    value: int
    size: int = 1


def as_bytes(task: Number) -> bytes:
    return bytes([task.value])


class Shuffled(RayEngine):
    def run(self, work: Callable[[AnyTask], bytes], tasks: Sequence[AnyTask]) -> Iterator[tuple[int, bytes]]:
        yield from ((place, work(tasks[place])) for place in (0, 3, 1, 2, 4))


def test_results_out_of_order_are_counted(tmp_path: Path) -> None:
    engine = noting(Shuffled, tmp_path)("unused:1")
    for _ in range(2):
        found = dict(engine.run(as_bytes, [Number(value) for value in range(5)]))
        assert found == {value: bytes([value]) for value in range(5)}
    notes = Notes.read(tmp_path)
    assert notes[:2] == (4, 10)
    assert notes.megabytes > 10


def test_a_row_of_ray_data_is_a_task() -> None:

    row = {"place": 2, "task": pickle.dumps(Number(7))}
    assert OnRow(as_bytes)(row) == {"place": 2, "result": b"\x07"}


@needs_engines
@pytest.mark.slow
def test_processes_build_equal_contexts() -> None:
    found = measure_on_ray(800, nodes=(), repeats=1)
    assert [*found] == [in_processes(1), in_processes(2)]
    assert all(learnt.equal and learnt.seconds > 0 for learnt in found.values())


def test_goals_of_ray_are_judged() -> None:
    def ways(seconds: float, megabytes: float = 200) -> dict[str, Built]:
        notes = Notes(0, 8, megabytes)
        on_ray = {on_nodes(engine, nodes): Built(seconds + 3, True, notes) for engine in ENGINES for nodes in (1, 2)}
        return {in_processes(1): Built(seconds), **on_ray}

    found = {10**6: ways(0.3), 10**7: ways(3), 10**8: ways(30)}
    assert [goal.met for goal in ray_result(found).goals] == [True] * 8
    found[10**8] = ways(100, 600) | {on_nodes(TASKS, 2): Built(103, False, Notes(0, 8, 600))}
    assert [goal.met for goal in ray_result(found).goals] == [True, True, True, True, False, False, False, False]
