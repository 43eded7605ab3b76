"""Two processes with half a batch each arrive where one process with the whole batch does."""

import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from gdssm.train.batches import draw
from gdssm.train.checkpoint import CHECKPOINT, METRICS
from gdssm.train.distributed import Group
from tests.closeness import assert_close
from tests.gdssm.train.runs import SHORT, run
from tests.running import ROOT


@pytest.mark.slow
def test_two_processes_are_one(tmp_path: Path) -> None:
    one = run(tmp_path / "one")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, "-m", "tests.gdssm.train.runs", str(tmp_path / "two")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ours, theirs = load_file(tmp_path / "two" / CHECKPOINT), load_file(one / CHECKPOINT)
    for name, expected in theirs.items():
        if name.startswith("weights.") and expected.size:
            assert_close(ours[name], expected, name, rtol=1e-4)
    lines = (tmp_path / "two" / METRICS).read_text().splitlines()
    assert len(lines) == SHORT.steps // SHORT.log_every, "one process writes, the others do not"


def test_the_shares_make_up_the_batch() -> None:
    batch = draw(SHORT, 3)
    shares = [Group(rank, 3).share(batch) for rank in range(3)]
    assert sum(len(share.x) for share in shares) == SHORT.batch
    assert {float(value) for share in shares for value in share.x_query[:, 0, 0]} == {
        float(value) for value in batch.x_query[:, 0, 0]
    }
