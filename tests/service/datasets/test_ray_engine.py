"""Tasks on a Ray cluster of two nodes with one processor each."""

import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.nonempty import nonempty
from tests.ray_cluster import PYTHON, RayCluster, needs_engines, ray_cluster
from tests.running import ROOT, free_port

pytestmark = [needs_engines, pytest.mark.slow]
SQUARES = [f"{value} {str(value**2).encode()!r}" for value in range(30)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster(nodes=2, processors=1) as cluster:
        yield cluster


def start(cluster: RayCluster, case: str, count: int, **environment: str) -> "subprocess.Popen[str]":
    address = environment.pop("address", cluster.address)
    return subprocess.Popen(
        [str(PYTHON), "-m", "tests.service.datasets.on_ray", address, case, str(count)],
        cwd=ROOT,
        env={**cluster.environment, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(cluster: RayCluster, case: str, count: int, **environment: str) -> list[str]:
    with start(cluster, case, count, **environment) as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return output.splitlines()


def test_each_task_has_its_result_once(cluster: RayCluster) -> None:
    assert sorted(run(cluster, "square", 5)) == sorted(SQUARES[:5])


def test_an_error_of_a_task_keeps_its_words(cluster: RayCluster) -> None:
    *results, error = run(cluster, "refuse_three", 5)
    assert error == "InvalidInput rows: has a three."
    assert len(set(results)) == len(results)
    assert set(results) <= {f"{value} b''" for value in (0, 1, 2, 4)}  # those that were finished before it


def test_results_in_the_memory_of_a_killed_node_are_made_again(cluster: RayCluster) -> None:
    with start(cluster, "large", 30) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(4)]
        assert any("ray::_run" in title for title in cluster.kill(1))
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    lines = [*first, *output.splitlines()]
    assert sorted(int(line.split()[0]) for line in nonempty(lines)) == list(range(30))


def test_a_task_that_ends_its_workers_is_an_error(cluster: RayCluster) -> None:
    lines = run(cluster, "die_at_three", 6)
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
def test_a_cluster_that_is_not_reached_is_an_error(cluster: RayCluster, changed: dict[str, str], words: str) -> None:
    began = time.monotonic()
    (line,) = run(cluster, "square", 3, **changed)
    assert line.startswith("InvalidInput --ray:")
    assert words in line
    assert cluster.environment["RAY_AUTH_TOKEN"] not in line
    assert time.monotonic() - began < 40
