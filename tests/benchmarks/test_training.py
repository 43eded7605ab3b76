"""The training benchmark on small sizes: implementations with one loss and gradient, its result and its goals."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import results
from benchmarks.presets import arrival
from benchmarks.training import (
    IMPLEMENTATIONS,
    LOOP,
    MAX_STATE_ENTRIES,
    OURS,
    QUICK,
    SCAN,
    Cell,
    Profile,
    Trainer,
    TrainingMeasurements,
    fitting_batch,
    measure,
    operators,
    sized,
)
from gdssm.train.presets import PRESETS
from tests.closeness import assert_close
from tests.nonempty import nonempty

D, N, BATCH = 5, 7, 3


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("implementation", [LOOP, SCAN])
def test_every_implementation_finds_our_loss_and_our_gradient(preset: str, implementation: str) -> None:
    found = []
    for name in (OURS, implementation):
        trainer = Trainer(sized(preset, D, N, BATCH), IMPLEMENTATIONS[name])
        trainer.stack.double()
        trainer.batch = type(trainer.batch)(*(tensor.double() for tensor in trainer.batch))
        loss = trainer.loss()
        parameters = [weight for weight in trainer.stack.parameters() if weight.numel()]
        found.append([loss.detach(), *torch.autograd.grad(loss, parameters)])
    for ours, theirs in zip(*found, strict=True):
        assert_close(ours, theirs, "loss or gradient", rtol=1e-10)


def test_a_step_changes_the_weights() -> None:
    trainer = Trainer(sized("linear-trained", D, N, BATCH), IMPLEMENTATIONS[OURS])
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
    assert fitting_batch("linear-trained", 32, 100, 64) == 64
    assert fitting_batch("linear-trained", 64, 1000, 64) == 4
    assert fitting_batch("linear-vector-trained", 64, MAX_STATE_ENTRIES, 64) == 1


@pytest.mark.slow
def test_the_profile_counts_the_calls_of_one_step() -> None:
    calls, seconds = operators(sized("linear-trained", D, N, BATCH))["aten::bmm"]
    assert calls == int(calls) > 0
    assert seconds > 0


@pytest.mark.slow
def test_it_leaves_tables_a_figure_and_numbers(tmp_path: Path) -> None:
    results.write(tmp_path, "training", measure(QUICK))
    numbers = json.loads((tmp_path / "training.json").read_text())["numbers"]
    assert [(cell["preset"], cell["features"], cell["observations"]) for cell in numbers["step_seconds"]] == [
        (preset, features, n) for preset in QUICK.presets for features in (2, 3) for n in (2, 3)
    ]
    assert all(cell["seconds"].keys() == {OURS, LOOP, SCAN} for cell in nonempty(numbers["step_seconds"]))
    assert "training-growth.svg" in (tmp_path / "training.md").read_text()
    assert (tmp_path / "training-growth.svg").read_text().startswith("<svg")


def found(scan: float = 1.0, power: float = 1.0) -> TrainingMeasurements:
    """Measurements if (b) takes so many seconds, ours 0.01, and our step grows with this power of N."""
    grown = {float(n): 1e-4 * n**power for n in (100, 200, 500, 1000)}
    profiles = [Profile(n, {"aten::bmm": (4, 3e-5 * n), "aten::mul": (9, 1e-5 * n)}) for n in (100, 1000)]
    cell = Cell("linear-trained", 32, 100, 64, {OURS: [0.01, 0.01, 0.02], LOOP: [0.1], SCAN: [scan]})
    return TrainingMeasurements(
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
    section = found().report().markdown()
    assert "| linear-trained: (b) ÷ ours at D = 32, N = 100 | ≥ 100 | 100 (50 to 100) | met |" in section
    assert "| linear-trained: time of a step from N = 100 to 1000, power of N | 1 ± 0.1 | 1.00 | met |" in section
    assert "**not met**" not in section


@pytest.mark.parametrize("missed", [found(scan=0.99), found(power=1.2), found(power=0.8)])
def test_a_missed_goal_is_reported(missed: TrainingMeasurements) -> None:
    assert missed.report().markdown().count("**not met**") == 1


def test_the_profile_shows_shares_and_growth() -> None:
    section = found().report().markdown()
    assert "are\n75% of a step at N = 100 and 75% at N = 1000" in section
    assert "| bmm | 4 | 3 ms | 75% | 4 | 30 ms | 75% | 10.0 |" in section


def test_it_arrives_where_it_stays_near() -> None:
    losses = [2.0, 1.0, 1.2, 1.004, 0.99]
    log = [{"step": 100 * i, "loss": loss, "reference_loss": 1.0} for i, loss in enumerate(losses, start=1)]
    assert arrival(log) == 400
    assert arrival(log[:3]) == 300
    assert arrival(log[3:]) == 400
