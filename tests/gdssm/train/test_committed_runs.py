"""The shipped runs are those of the presets, and meet their claims."""

import re
from pathlib import Path

import pytest

import gdssm
from gdssm.reproduce.claims import CLAIMS, CONSTRUCTED, DIFFERENCE, measure, verdicts
from gdssm.reproduce.experiments import constructions
from gdssm.reproduce.runs import load_all
from gdssm.train.presets import PRESETS
from tests.nonempty import nonempty

PACKAGE = Path(gdssm.__file__).parent
SEEDS = re.compile(r"^\| (linear-trained|linear-vector-trained) \| (\d) \|(.*)\|$", re.MULTILINE)


@pytest.mark.slow
def test_every_claim_is_met_on_the_tasks_of_the_evaluation() -> None:
    metrics = measure(load_all(PRESETS, PACKAGE / "runs"), tasks=20_000)
    metrics[CONSTRUCTED] = {DIFFERENCE: constructions.largest(constructions.measure())}
    assert [verdict for verdict in verdicts(metrics) if not verdict["met"]] == []


@pytest.mark.parametrize("preset", ["linear-trained", "linear-vector-trained"])
def test_from_each_of_five_seeds_one_layer_arrives_within_a_minute(preset: str) -> None:
    rows = {
        int(seed): cells for name, seed, cells in SEEDS.findall((PACKAGE / "README.md").read_text()) if name == preset
    }
    assert sorted(rows) == [0, 1, 2, 3, 4]
    names = [claim.metric for claim in CLAIMS if claim.preset == preset]
    for seed, cells in nonempty(rows.items()):
        *measured, _, processor = [float(cell.strip(" s")) for cell in cells.split("|")]
        metrics = dict(zip(names, measured, strict=True))
        for claim in CLAIMS:
            if claim.preset == preset:
                assert claim.verdict(metrics)["met"], (seed, claim)
        assert processor < 60, seed
