"""Tasks on a Ray cluster of two nodes with one processor each."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.nonempty import nonempty
from tests.ray_cluster import PYTHON, RayCluster, host, needs_engines, ray_cluster
from tests.running import ROOT, free_port

pytestmark = [needs_engines, pytest.mark.slow]
Start = Callable[..., "subprocess.Popen[str]"]
SQUARES = [f"{value} {str(value**2).encode()!r}" for value in range(30)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster(nodes=2, processors=1) as cluster:
        yield cluster


@pytest.fixture
def start(cluster: RayCluster, tmp_path: Path) -> Start:
    def start(case: str, count: int, *, address: str = cluster.address, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(PYTHON), "-m", "tests.service.datasets.on_ray", address, case, str(count), str(tmp_path)],
            cwd=ROOT,
            env={**cluster.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def output_of(process: "subprocess.Popen[str]") -> list[str]:
    output, errors = process.communicate("\n", timeout=180)  # Ray's own attempts to connect take 14 minutes
    assert process.returncode == 0, errors
    return output.splitlines()


def test_each_task_has_its_result_once(start: Start) -> None:
    assert sorted(output_of(start("square", 5))) == sorted(SQUARES[:5])


def test_an_error_of_a_task_keeps_its_words(start: Start) -> None:
    *results, error = output_of(start("refuse_three", 5))
    assert error == "InvalidInput rows: has a three."
    assert len(set(results)) == len(results)
    assert set(results) <= {f"{value} b''" for value in (0, 1, 2, 4)}  # those that were finished before it


def test_results_in_the_memory_of_a_killed_node_are_made_again(
    cluster: RayCluster, start: Start, tmp_path: Path
) -> None:
    def finished(node: int) -> list[str]:
        runs = [line.split() for line in (tmp_path / "runs").read_text("ascii").splitlines()]
        return [value for value, where in runs if where == host(node)]

    with start("large", 16) as process:  # all are submitted at once
        assert process.stdout is not None
        first = process.stdout.readline()
        cluster.hold(1, process, ready=lambda: len(finished(1)) >= 2)
        lost = {*finished(1)} - {first.split()[0]}
        assert cluster.kill(1)
        lines = [first, *output_of(process)]
    assert sorted(int(line.split()[0]) for line in nonempty(lines)) == list(range(16))
    assert lost
    assert lost <= {*finished(0)}


def test_a_task_that_ends_its_workers_is_an_error(start: Start) -> None:
    lines = output_of(start("die_at_three", 6))
    assert lines[-1].startswith("WorkerLost A worker process was killed")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"RAY_AUTH_TOKEN": "another"}, "does not accept the token. Set RAY_AUTH_TOKEN_PATH"),
        ({"RAY_AUTH_MODE": "disabled"}, "does not accept the token"),
        ({"address": f"127.0.0.2:{free_port()}"}, "--ray: there is no Ray cluster at 127.0.0.2:"),
        ({"address": "127.0.0.2"}, "'127.0.0.2' is no address. Write HOST:PORT"),
        ({"address": "ray://127.0.0.2:10001"}, "is no address. Write HOST:PORT"),
    ],
)
def test_a_cluster_that_is_not_reached_is_an_error(
    cluster: RayCluster, start: Start, changed: dict[str, str], words: str
) -> None:
    (line,) = output_of(start("square", 3, **changed))
    assert line.startswith("InvalidInput --ray:")
    assert words in line
    assert cluster.token not in line
