"""The measurement of training, on small sizes: that it compares the same thing, and what is made of its numbers."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks.convergence import arrival
from benchmarks.training.__main__ import main
from benchmarks.training.contestants import CONTESTANTS, LOOP, OURS, SCAN
from benchmarks.training.profiling import operators
from benchmarks.training.report import Cell, Found, Profile
from benchmarks.training.sizes import STATES, Sizes, holding, sized
from benchmarks.training.step import Trainer
from gdssm.train.presets import PRESETS
from tests.closeness import assert_close
from tests.nonempty import nonempty

D, N, BATCH = 5, 7, 3
SMALL = Sizes(
    presets=("linear-trained", "sine-4step-trained"),
    observations=(2, 3),
    features=(2, 3),
    batch=2,
    growing=(2, 4),
    goal=(3, 2),
    profiled=(2, 4),
    older=((2, 2, 2),),
    rounds=1,
    arriving=(),
)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("contestant", [LOOP, SCAN])
def test_every_contestant_finds_our_loss_and_our_gradient(preset: str, contestant: str) -> None:
    found = []
    for name in (OURS, contestant):
        trainer = Trainer(sized(preset, D, N, BATCH), CONTESTANTS[name])
        trainer.stack.double()
        trainer.batch = type(trainer.batch)(*(tensor.double() for tensor in trainer.batch))
        loss = trainer.loss()
        parameters = [weight for weight in trainer.stack.parameters() if weight.numel()]
        found.append([loss.detach(), *torch.autograd.grad(loss, parameters)])
    for ours, theirs in zip(*found, strict=True):
        assert_close(ours, theirs, "loss or gradient", rtol=1e-10)


def test_a_step_changes_the_weights() -> None:
    trainer = Trainer(sized("linear-trained", D, N, BATCH), CONTESTANTS[OURS])
    before = trainer.loss()
    for _ in range(20):
        trainer.step()
    assert trainer.loss() < before


def test_a_preset_is_resized_where_it_regresses() -> None:
    assert sized("linear-vector-trained", D, N, BATCH).model.outputs == D
    assert sized("linear-5step-trained", D, N, BATCH).model.layers == 5
    sine = sized("sine-trained", D, N, BATCH).model
    assert (sine.inputs, sine.feature_widths[-1]) == (1, D)


def test_the_batch_is_as_large_as_its_states_allow() -> None:
    assert holding("linear-trained", 32, 100, 64) == 64
    assert holding("linear-trained", 64, 1000, 64) == 4
    assert holding("linear-vector-trained", 64, STATES, 64) == 1


def test_the_profile_counts_the_calls_of_one_step() -> None:
    calls, seconds = operators(sized("linear-trained", D, N, BATCH))["aten::bmm"]
    assert calls == int(calls) > 0
    assert seconds > 0


def test_it_leaves_tables_a_figure_and_numbers(tmp_path: Path) -> None:
    main(tmp_path, SMALL)
    numbers = json.loads((tmp_path / "training.json").read_text())
    assert [(cell["preset"], cell["features"], cell["observations"]) for cell in numbers["step_seconds"]] == [
        (preset, features, n) for preset in SMALL.presets for features in (2, 3) for n in (2, 3)
    ]
    assert all(cell["seconds"].keys() == {OURS, LOOP, SCAN} for cell in nonempty(numbers["step_seconds"]))
    assert "training-growth.svg" in (tmp_path / "training.md").read_text()
    assert (tmp_path / "training-growth.svg").read_text().startswith("<svg")


def found(scan: float = 1.0, power: float = 1.0) -> Found:
    """What would be measured if (b) took so many seconds where we take 0.01, and our step grew with this power of N."""
    grown = {float(n): 1e-4 * n**power for n in (100, 200, 500, 1000)}
    profiles = [Profile(n, {"aten::bmm": (4, 3e-5 * n), "aten::mul": (9, 1e-5 * n)}) for n in (100, 1000)]
    cell = Cell("linear-trained", 32, 100, 64, {OURS: [0.01, 0.01, 0.02], LOOP: [0.1], SCAN: [scan]})
    return Found(
        cells=[cell],
        goal=(32, 100),
        growing={"linear-trained": grown},
        growing_wide={"D = 32": grown},
        profiles=profiles,
        older={(32, 100, 64): 0.01},
        arrivals=[],
        rounds=3,
    )


def test_a_hundredth_of_the_scan_and_linear_growth_meet_the_goals() -> None:
    section = found().section()
    assert "| linear-trained | 100 (50 to 100) | met |" in section
    assert "| linear-trained | 1.00 | met |" in section
    assert "**not met**" not in section


@pytest.mark.parametrize("missed", [found(scan=0.99), found(power=1.2), found(power=0.8)])
def test_what_misses_a_goal_is_told(missed: Found) -> None:
    assert missed.section().count("**not met**") == 1


def test_the_profile_is_told_in_shares_and_growth() -> None:
    section = found().section()
    assert "are\n75% of a step at N = 100 and 75% at N = 1000" in section
    assert "| bmm | 4 | 3 ms | 75% | 4 | 30 ms | 75% | 10.0 |" in section


def test_it_arrives_where_it_stays_near() -> None:
    losses = [2.0, 1.0, 1.2, 1.004, 0.99]
    log = [{"step": 100 * i, "loss": loss, "reference_loss": 1.0} for i, loss in enumerate(losses, start=1)]
    assert arrival(log) == 400
    assert arrival(log[:3]) == 300
    assert arrival(log[3:]) == 400
