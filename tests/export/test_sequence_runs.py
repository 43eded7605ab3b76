"""A sequence model from a training loop written by hand is exported and served, by the code of the science's README."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from export.trained import load_regressor, model_of, record
from gdssm.sequence.regression import RegressorConfig
from tests.export.test_own_runs import ask, run
from tests.running import ROOT, running

README = (ROOT / "gdssm/README.md").read_text(encoding="utf-8")
RNG = np.random.default_rng(11)
X, QUERIES = RNG.uniform(-1, 1, (12, 3)), RNG.uniform(-1, 1, (4, 3))
Y = X @ [1.0, -0.5, 2.0]


@pytest.mark.slow
def test_a_training_loop_written_by_hand_is_served(tmp_path: Path) -> None:
    loop = re.search(r"training loop written by hand.*?```python\n(.*?)```\n\n`python (.*?)`", README, re.DOTALL)
    assert loop is not None
    for command in (["-c", loop[1]], loop[2].split()):
        done = run(tmp_path, *command)
        assert done.returncode == 0, done.stderr
    config = model_of(record(tmp_path / "runs/sequence"))
    assert isinstance(config, RegressorConfig)
    model = load_regressor(tmp_path / "runs/sequence", config)
    with torch.no_grad():
        tensors = (torch.tensor(part[None], dtype=torch.float32) for part in (X, Y[:, None], QUERIES))
        expected = model(*tensors)[0, :, 0].tolist()
    with running(GDSSM_MODELS=str(tmp_path / "models")) as server:
        rows = {"x": X.tolist(), "y": Y.tolist()}
        body = {"model": "sequence", "context": rows, "query": QUERIES.tolist()}
        assert ask(f"{server.url}/v1/predict", body)["prediction"] == pytest.approx(expected, rel=1e-3, abs=1e-4)
        context = f"{server.url}/v1/contexts/{ask(f'{server.url}/v1/contexts', {'model': 'sequence'})['id']}"
        for part in (slice(0, 5), slice(5, 12)):
            ask(f"{context}/observations", {name: values[part] for name, values in rows.items()})
        found = ask(f"{context}/predictions", {"query": QUERIES.tolist()})["prediction"]
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-4)
    mean_error = float(np.mean((np.array(expected) - QUERIES @ [1.0, -0.5, 2.0]) ** 2))
    assert mean_error < float(np.mean((QUERIES @ [1.0, -0.5, 2.0]) ** 2)), "it predicts better than zero"
