"""The benchmark of training on a card: all but the capture runs on the processor, and without a card it is skipped."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import __main__ as runner
from benchmarks import results
from benchmarks.gpu import CAPTURED, PRODUCTS, QUICK, SINGLE, Finished, Measurements, Sizes, products, run, sized
from benchmarks.results import Skipped
from gdssm.train.batches import draw
from gdssm.train.loop import initial
from gdssm.train.optimizer import Optimizer
from gdssm.train.presets import PRESETS
from gdssm.train.step import TrainStep
from tests.nonempty import nonempty

CPU = torch.device("cpu")


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.slow
@pytest.mark.usefixtures("no_card")
def test_a_quick_run_measures_the_processor(tmp_path: Path) -> None:
    results.write(tmp_path, "gpu", run(quick=True))
    numbers = json.loads((tmp_path / "gpu.json").read_text())["numbers"]
    assert numbers["device"] == "cpu"
    assert numbers["step_seconds"].keys() == {"2 3 4", "3 4 2"}
    for times in nonempty(numbers["step_seconds"].values()):
        assert times.keys() == {CAPTURED, SINGLE, PRODUCTS}
        assert all(min(spent) > 0 for spent in nonempty(times.values()))
    assert set(numbers["loss_differences"].values()) == {0.0}, "the processor compared with itself"
    assert [finished["precision"] for finished in numbers["finished"]] == ["float32", "bfloat16"]
    assert "| not measured |" in (tmp_path / "gpu.md").read_text()


@pytest.mark.usefixtures("no_card")
def test_without_a_card_it_is_skipped_and_older_results_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Skipped, match="no CUDA device"):
        run(quick=False)
    (tmp_path / "gpu.json").write_text("{}")
    runner.run_one("gpu", tmp_path, quick=False)
    assert capsys.readouterr().out == "gpu is skipped: torch finds no CUDA device.\n"
    assert (tmp_path / "gpu.json").read_text() == "{}"


def found(
    captured: float = 2.0, loop: float = 5e-4, seconds: float = 3.0, difference: float = 1e-5, low: float = 1.01
) -> Measurements:
    """Measurements that meet every goal just so, in units of the bare products."""
    times = {CAPTURED: [captured] * 3, SINGLE: [4.0] * 3, PRODUCTS: [1.0] * 3}
    finished = [Finished("float32", seconds, 1.0, 1.005), Finished("bfloat16", seconds, low, 1.0)]
    sizes = replace(QUICK, steps=((128, 1000, 512),))
    return Measurements("Some card", {(128, 1000, 512): times}, loop, {"linear-trained": difference}, finished, sizes)


def test_goals_are_met_at_their_bounds() -> None:
    section = found().report().markdown()
    assert section.count("| met |") == 5
    assert "Measured on Some card; " in section
    assert "| captured ÷ bare products, D = 128, N = 1000, batch 512 | ≤ 2 | 2.00 | met |" in section


@pytest.mark.parametrize(
    "missed",
    [found(captured=2.1), found(loop=6e-4), found(seconds=3.1), found(difference=2e-5), found(low=1.02)],
    ids=["products", "step", "preset", "equality", "bfloat16"],
)
def test_a_missed_goal_is_reported(missed: Measurements) -> None:
    assert missed.report().markdown().count("**not met**") == 1


def test_bare_products_are_those_of_a_step() -> None:
    config = sized(5, 7, 3)
    stack, batch = initial(config), draw(config, 0)
    step, alone = TrainStep(config, stack, Optimizer(stack, config)), products(config, CPU)
    counts = []
    for call in (lambda: step(0, batch), alone):
        with FlopCounterMode(display=False) as counter:
            call()
        by_operator = counter.get_flop_counts()["Global"]
        counts.append(sum(flops for operator, flops in by_operator.items() if "bmm" in str(operator)))
    assert counts[0] == counts[1] > 0


def test_the_small_size_is_that_of_the_preset() -> None:
    first, *_, last = Sizes().steps
    assert sized(*first) == PRESETS["linear-trained"]
    assert last == (128, 1000, 512)
