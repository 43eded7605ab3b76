"""The shipped runs are those of the presets, and meet their claims."""

import re
from pathlib import Path

import pytest

import gdssm
from gdssm.reproduce.claims import PARAMETERS, measure, of_presets
from gdssm.reproduce.runs import load_all
from gdssm.train.presets import PRESETS
from tests.nonempty import nonempty

PACKAGE = Path(gdssm.__file__).parent
SEEDS = re.compile(r"^\| (linear-trained|linear-vector-trained) \| (\d) \|(.*)\|$", re.MULTILINE)


COLUMNS = (
    "loss_ratio",
    "sensitivity_cosine",
    "relative_prediction_difference",
    "input_gate_rest",
    "output_gate_rest",
    "least_decay",
)
BOUNDS = {
    "loss_ratio": 1.005,
    "relative_prediction_difference": 0.02,
    "input_gate_rest": 0.01,
    "output_gate_rest": 0.01,
}
AT_LEAST = {"sensitivity_cosine": 0.999, "least_decay": 0.995}


@pytest.mark.slow
def test_every_claim_is_met_on_the_tasks_of_the_evaluation() -> None:
    metrics = measure(load_all(PRESETS, PACKAGE / "runs"), tasks=20_000)
    missed = [(verdict.how, verdict.statement) for verdict in of_presets(metrics) if not verdict.met]
    assert missed == [("linear-10step-trained", PARAMETERS)]  # the rate of the largest curvatures, see the README
    assert all(found.get("least_rate", 1.0) > 0 for found in nonempty(metrics.values()))


@pytest.mark.parametrize("preset", ["linear-trained", "linear-vector-trained"])
def test_from_each_of_five_seeds_one_layer_arrives_within_a_minute(preset: str) -> None:
    rows = {
        int(seed): cells for name, seed, cells in SEEDS.findall((PACKAGE / "README.md").read_text()) if name == preset
    }
    assert sorted(rows) == [0, 1, 2, 3, 4]
    for seed, cells in nonempty(rows.items()):
        *measured, _, processor = [float(cell.strip(" s")) for cell in cells.split("|")]
        metrics = dict(zip(COLUMNS, measured, strict=True))
        assert all(metrics[name] <= bound for name, bound in BOUNDS.items()), seed
        assert all(metrics[name] >= bound for name, bound in AT_LEAST.items()), seed
        assert processor < 60, seed
