"""Tasks in this process and in several."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.datasets.engine import LocalEngine
from service.datasets.ray_engine import ENVIRONMENT, RayEngine
from service.errors import InvalidInput, Problem, UnknownModel, WorkerLost
from tests.running import free_port

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Number:
    value: int
    size: int = 1


def square(task: Number) -> bytes:
    return str(task.value**2).encode()


def refuse_three(task: Number) -> bytes:
    if task.value == 3:
        raise InvalidInput(Problem("rows", "has a three."), Problem("columns", "too."))
    return b""


def die_at_three(task: Number) -> bytes:
    if task.value == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return b""


def pid(_: Number) -> bytes:
    return str(os.getpid()).encode()


@pytest.fixture(params=[1, pytest.param(2, marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest) -> Iterator[LocalEngine]:
    with LocalEngine(request.param) as engine:
        yield engine


def test_each_task_has_its_result_once(engine: LocalEngine) -> None:
    found = sorted(engine.run(square, [Number(value) for value in range(11)]))
    assert found == [(value, str(value**2).encode()) for value in range(11)]


def test_no_tasks_have_no_results(engine: LocalEngine) -> None:
    assert list(engine.run(square, [])) == []


def test_an_error_comes_with_its_problems(engine: LocalEngine) -> None:
    with pytest.raises(InvalidInput) as caught:
        list(engine.run(refuse_three, [Number(value) for value in range(5)]))
    assert caught.value.problems == (Problem("rows", "has a three."), Problem("columns", "too."))


def test_an_engine_is_used_again_after_an_error(engine: LocalEngine) -> None:
    tasks = [Number(value) for value in range(5)]
    with pytest.raises(InvalidInput):
        list(engine.run(refuse_three, tasks))
    assert len(list(engine.run(square, tasks))) == 5


@pytest.mark.slow
def test_a_killed_worker_is_an_error_and_the_engine_goes_on() -> None:
    tasks = [Number(value) for value in range(6)]
    with LocalEngine(2) as engine:
        with pytest.raises(WorkerLost, match="run the command again"):
            list(engine.run(die_at_three, tasks))
        assert len(list(engine.run(square, tasks))) == 6


@pytest.mark.slow
def test_processes_stay_for_the_next_work() -> None:
    tasks = [Number(value) for value in range(20)]
    with LocalEngine(2) as engine:
        first, second = ({result for _, result in engine.run(pid, tasks)} for _ in range(2))
    assert len(first | second) <= 2
    assert str(os.getpid()).encode() not in first | second


@pytest.mark.slow
def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from service.datasets.engine import LocalEngine\n"
        "from tests.service.datasets.test_engine import Number, leave_pid\n"
        "if __name__ == '__main__':\n"
        "    with LocalEngine(2) as engine:\n"
        "        list(engine.run(leave_pid, [Number(0), Number(1)]))\n"
    )
    (tmp_path / "main.py").write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PIDS": str(tmp_path / "pids")}
    (tmp_path / "pids").mkdir()
    parent = subprocess.Popen([sys.executable, str(tmp_path / "main.py")], env=environment)
    workers = list[int]()
    while len(workers) < 2 and parent.poll() is None:
        workers = [int(file.name) for file in (tmp_path / "pids").iterdir()]
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    assert len(workers) == 2
    for worker in workers:
        while _is_alive(worker):
            time.sleep(0.05)


def leave_pid(_: Number) -> bytes:
    (Path(os.environ["PIDS"]) / str(os.getpid())).touch()
    time.sleep(600)
    return b""


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("error", [UnknownModel("a", ["b"]), WorkerLost(), InvalidInput(Problem("x", "is odd."))])
def test_errors_are_the_same_in_another_process(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  (made here)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.detail == error.detail  # type: ignore[attr-defined]


def test_a_cluster_is_asked_with_a_token_and_without_usage_statistics_unless_said_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = {"RAY_AUTH_MODE": "disabled"}
    monkeypatch.setattr(os, "environ", environment)
    with pytest.raises(InvalidInput, match="ray"), RayEngine(f"127.0.0.1:{free_port()}"):
        pass
    assert environment["RAY_USAGE_STATS_ENABLED"] == "0"
    assert ENVIRONMENT["RAY_AUTH_MODE"] == "token"
    assert environment["RAY_AUTH_MODE"] == "disabled"
