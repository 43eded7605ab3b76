"""Tasks drawn by torch have the distribution of those drawn by numpy, and depend on seed and step alone."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gdssm.evaluation.tasks.linear import Drift, Linear
from gdssm.evaluation.tasks.nonlinear import Sine
from gdssm.train.batches import TrainBatch, batches, draw, draw_on
from gdssm.train.config import TrainConfig
from gdssm.train.device_tasks import SAMPLERS
from gdssm.train.presets import LINEAR, PRESETS
from tests.closeness import assert_close
from tests.gdssm.train.runs import SHORT
from tests.nonempty import nonempty

LINEAR_TASK = replace(LINEAR, task=Linear(inputs=3, outputs=2, input_range=3.0, weight_scale=0.5))
SINE_TASK = replace(LINEAR, task=Sine(amplitude=(0.2, 0.7), phase=(0.5, 2.0), input_range=6.0))
BOTH = pytest.mark.parametrize("config", [LINEAR_TASK, SINE_TASK], ids=["linear", "sine"])


def drawn(config: TrainConfig, step: int = 3) -> TrainBatch:
    return draw_on(torch.Generator(), config, step)


@BOTH
def test_shapes_and_memory_layout_are_those_of_numpy(config: TrainConfig) -> None:
    for name, ours, theirs in nonempty(zip(TrainBatch._fields, drawn(config), draw(config, 3), strict=True)):
        assert (ours.shape, ours.dtype, ours.stride()) == (theirs.shape, theirs.dtype, theirs.stride()), name


@BOTH
def test_a_batch_depends_on_seed_and_step(config: TrainConfig) -> None:
    generator = torch.Generator()
    first = draw_on(generator, config, 3)
    others = [draw_on(generator, config, 4), drawn(replace(config, seed=1))]
    again = draw_on(generator, config, 3)
    assert [torch.equal(ours, other) for ours, other in zip(first, again, strict=True)] == [True] * 4
    for batch in nonempty(others):
        assert [torch.equal(ours, other) for ours, other in zip(first, batch, strict=True)] == [False] * 4


@BOTH
def test_moments_are_those_of_the_distribution(config: TrainConfig) -> None:
    large = replace(config, batch=20_000)
    ours, theirs = drawn(large), draw(large, 0)
    for name, found, expected in nonempty(zip(TrainBatch._fields, ours, theirs, strict=True)):
        scale = float(expected.square().mean().sqrt())
        assert abs(float(found.mean() - expected.mean())) < 0.03 * scale, name
        assert float(found.square().mean().sqrt()) == pytest.approx(scale, rel=0.03), name
    assert float(ours.x.abs().max()) <= large.task.input_range / 2  # type: ignore[attr-defined]  # both tasks have it
    assert float(ours.x_query.abs().max()) == pytest.approx(large.task.input_range / 2, rel=0.01)  # type: ignore[attr-defined]


def test_linear_tasks_have_one_weight_for_context_and_query() -> None:
    batch = drawn(LINEAR_TASK)
    weight = torch.linalg.lstsq(batch.x.double(), batch.y.double()).solution
    assert_close(batch.x_query.double() @ weight, batch.y_query, "y_query", rtol=1e-3)
    assert float(weight.std()) == pytest.approx(0.5, rel=0.1)


def test_sines_have_one_amplitude_and_phase_for_context_and_query() -> None:
    batch = drawn(SINE_TASK)

    def features(x: Tensor) -> Tensor:
        return torch.cat([x.sin(), x.cos()], 2).double()

    weight = torch.linalg.lstsq(features(batch.x), batch.y.double()).solution
    assert_close(features(batch.x_query) @ weight, batch.y_query, "y_query", rtol=1e-3)
    amplitude, phase = weight.norm(dim=1), torch.atan2(weight[:, 1], weight[:, 0])
    assert 0.2 <= amplitude.min() < amplitude.max() <= 0.7 + 1e-5
    assert 0.5 - 1e-4 <= phase.min() < phase.max() <= 2.0 + 1e-4


def test_every_preset_can_be_drawn_on_a_card_and_a_variation_of_a_task_is_not_taken_for_it() -> None:
    assert {type(preset.task) for preset in PRESETS.values()} <= SAMPLERS.keys()
    assert Drift not in SAMPLERS


def test_the_processor_draws_by_numpy() -> None:
    (batch,) = batches(SHORT, SHORT.steps - 1, torch.device("cpu"))
    for ours, theirs in nonempty(zip(batch, draw(SHORT, SHORT.steps - 1), strict=True)):
        assert torch.equal(ours, theirs)
