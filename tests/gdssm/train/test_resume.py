"""A run that was killed goes on as if nothing had happened, to the bit."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from gdssm.train import checkpoint
from gdssm.train.checkpoint import CHECKPOINT, METRICS
from gdssm.train.loop import PROGRESS_METRICS, initial
from gdssm.train.optimizer import Optimizer
from tests.gdssm.train.runs import SHORT, run
from tests.nonempty import nonempty
from tests.running import ROOT


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("uninterrupted"))


def assert_same_run(actual: Path, expected: Path) -> None:
    ours, theirs = load_file(actual / CHECKPOINT), load_file(expected / CHECKPOINT)
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert ours[name].tobytes() == tensor.tobytes(), name
    assert (actual / METRICS).read_text() == (expected / METRICS).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("after", [15, 40])
def test_killed_at_any_moment_it_resumes_bit_for_bit(uninterrupted: Path, tmp_path: Path, after: int) -> None:
    command = [sys.executable, "-m", "tests.gdssm.train.runs", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        while process.poll() is None and steps_logged(tmp_path) < after:
            time.sleep(0.001)
        process.kill()
    assert_same_run(run(tmp_path), uninterrupted)


def steps_logged(directory: Path) -> int:
    path = directory / METRICS
    lines = path.read_text().splitlines() if path.exists() else []
    return 5 * len(lines)


@pytest.mark.slow
def test_half_a_line_and_half_a_file_are_taken_back(uninterrupted: Path, tmp_path: Path) -> None:
    first = replace(SHORT, steps=SHORT.steps)
    stack = initial(first)
    checkpoint.save(tmp_path, first, 0, stack, Optimizer(stack, first))
    (tmp_path / METRICS).write_text('{"step": 5, "train_loss": 1.0}\n{"step": 10, "tra')
    (tmp_path / f"{CHECKPOINT}.part").write_bytes(b"half a checkpoint")
    assert_same_run(run(tmp_path), uninterrupted)


@pytest.mark.slow
def test_a_finished_run_is_left_as_it_is(uninterrupted: Path) -> None:
    before = (uninterrupted / CHECKPOINT).read_bytes()
    run(uninterrupted)
    assert (uninterrupted / CHECKPOINT).read_bytes() == before


def test_a_run_of_another_configuration_is_not_continued(uninterrupted: Path) -> None:
    with pytest.raises(ValueError, match="of another configuration"):
        run(uninterrupted, replace(SHORT, seed=1))


@pytest.mark.slow
def test_another_seed_is_another_run(uninterrupted: Path, tmp_path: Path) -> None:
    other = run(tmp_path, replace(SHORT, seed=1))
    assert (other / METRICS).read_text() != (uninterrupted / METRICS).read_text()


def test_nothing_in_a_run_unpickles(uninterrupted: Path) -> None:
    assert {path.name for path in uninterrupted.iterdir()} == {CHECKPOINT, METRICS}
    for line in nonempty((uninterrupted / METRICS).read_text().splitlines()):
        assert json.loads(line)["step"] % 5 == 0


def test_the_log_has_the_loss_beside_gradient_descent_s_and_the_alignment(uninterrupted: Path) -> None:
    lines = [json.loads(line) for line in (uninterrupted / METRICS).read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(5, SHORT.steps + 1, 5))
    assert all({"train_loss", *PROGRESS_METRICS} <= line.keys() for line in nonempty(lines))
