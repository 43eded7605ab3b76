"""`--ray`: contexts of files, and predictions for files, on a cluster that loses a node."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.ray_cluster import PYTHON, RayCluster, needs_engines, ray_cluster
from tests.running import ROOT

pytestmark = [needs_engines, pytest.mark.slow]
FILES, ROWS, INPUTS = 4, 110_000, 10
"""Each file is a split: two have more bytes than one."""
OPTIONS = ["--chunk-rows", "400", "--quiet"]
"""So that a task takes some tenths of a second, and is seen."""


@dataclass(frozen=True)
class Files:
    """Files, and what an undisturbed command in one process makes of them."""

    folder: Path
    context: bytes
    predictions: dict[str, bytes]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster(nodes=2, processors=1) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("files")
    (folder / "data").mkdir()
    for number in range(FILES):
        generator = np.random.default_rng(number)
        x = generator.normal(size=(INPUTS, ROWS))
        columns = {f"x{column}": x[column] for column in range(INPUTS)}
        columns["y"] = x[0] - 2 * x[1] + generator.normal(size=ROWS)
        parquet.write_table(pa.table(columns), folder / "data" / f"{number}.parquet", compression="none")
    build = ["contexts", "build", "data", "--target", "y", "--model", "linear", "--out", "local.safetensors"]
    for command in (build, ["predict", "local.safetensors", "data", "--out", "local/"]):
        done = subprocess.run(
            [str(PYTHON), "-m", "service", *command, *OPTIONS],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return Files(folder, (folder / "local.safetensors").read_bytes(), contents(folder / "local"))


def contents(folder: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(found) == FILES
    return found


@contextmanager
def started(cluster: RayCluster, files: Files, *command: str, **environment: str) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(
        [str(PYTHON), "-m", "service", *command, *OPTIONS, "--ray", cluster.address],
        cwd=files.folder,
        env={**cluster.environment, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def kill_amid(cluster: RayCluster, process: "subprocess.Popen[str]", run: Path, stage: str) -> None:
    """Kill a node amid a task of the stage that begins, when others are finished."""
    cluster.hold(1, process)
    wait_for_results(process, run, stage, 2)
    assert cluster.kill(1)


def wait_for_results(process: "subprocess.Popen[str]", run: Path, stage: str, count: int) -> None:
    while len(list(run.glob(f"{stage}/*"))) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def test_a_context_is_the_same_when_a_node_dies(cluster: RayCluster, files: Files) -> None:
    command = ["contexts", "build", "data", "--target", "y", "--model", "linear", "--out", "ray.safetensors"]
    with started(cluster, files, *command) as process:
        run = files.folder / ".ray.safetensors.gdssm-run"
        wait_for_results(process, run, "columns", FILES)
        kill_amid(cluster, process, run, "learn-*")
        output, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    assert output == ""
    assert (files.folder / "ray.safetensors").read_bytes() == files.context


def test_predictions_are_the_same_when_a_node_dies(cluster: RayCluster, files: Files) -> None:
    cluster.start(1)
    with started(cluster, files, "predict", "local.safetensors", "data", "--out", "ray/") as process:
        kill_amid(cluster, process, files.folder / "ray/.gdssm-run", "predict")
        output, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    assert output == ""
    assert contents(files.folder / "ray") == files.predictions


def test_as_many_processes_as_the_cluster_has_processors_end_after_a_killed_command(
    cluster: RayCluster, files: Files
) -> None:
    command = ["predict", "local.safetensors", "data", "--out", "again/", "--processes", "1"]
    with started(cluster, files, *command) as killed:
        wait_for_results(killed, files.folder / "again/.gdssm-run", "predict", 1)
    with started(cluster, files, *command) as process:
        _, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    assert "Continues the interrupted run." in errors
    assert contents(files.folder / "again") == files.predictions


def test_a_wrong_token_is_a_user_error(cluster: RayCluster, files: Files) -> None:
    command = ["contexts", "build", "data", "--target", "y", "--out", "wrong.safetensors"]
    with started(cluster, files, *command, RAY_AUTH_TOKEN="another") as process:  # noqa: S106
        _, errors = process.communicate(timeout=180)
    assert process.returncode == 2
    assert errors.splitlines()[-1].startswith("Error: --ray: ")
    assert {path.name for path in files.folder.iterdir() if "wrong" in path.name} == set()
