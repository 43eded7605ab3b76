"""From random weights the layer arrives at gradient descent."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gdssm.construction import steps
from gdssm.evaluation.oracles import UNIFORM_KURTOSIS, OneStepOracle, uniform_variance
from gdssm.evaluation.tasks.linear import Linear
from gdssm.stack import StackConfig
from gdssm.train.batches import batches, draw
from gdssm.train.config import TrainConfig
from gdssm.train.evaluate import Reference, evaluate
from gdssm.train.loop import Run, initial, train
from gdssm.train.optimizer import Optimizer
from gdssm.train.presets import LINEAR, PRESETS, VECTOR
from tests.gdssm.train.runs import SHORT
from tests.nonempty import nonempty


@pytest.mark.slow
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_layer_trained_from_random_weights_is_gradient_descent(outputs: int, tmp_path: Path) -> None:
    config = replace(
        LINEAR,
        model=StackConfig(inputs=3, outputs=outputs),
        task=Linear(inputs=3, outputs=outputs),
        steps=1000,
        batch=256,
        checkpoint_every=10_000,
        log_every=10_000,
    )
    metrics = evaluate(train(config, Run(tmp_path, quiet=True)), config, tasks=5000)
    assert metrics["loss_ratio"] < 1.005
    assert metrics["sensitivity_cosine"] > 0.999
    assert metrics["relative_prediction_difference"] < 0.05
    assert metrics["input_gate_rest"] < 0.02
    assert metrics["output_gate_rest"] < 0.02
    assert metrics["least_decay"] > 0.99


@pytest.mark.slow
def test_the_construction_passes_its_own_evaluation() -> None:
    oracle = OneStepOracle(10, 10, uniform_variance(2.0), UNIFORM_KURTOSIS)
    metrics = evaluate(steps(10, 1, [oracle.learning_rate], torch.float32), LINEAR, tasks=20_000)
    assert metrics["loss_ratio"] == pytest.approx(1, abs=1e-3)
    assert metrics["sensitivity_cosine"] == pytest.approx(1)
    assert metrics["learning_rate"] == pytest.approx(oracle.learning_rate)
    assert metrics["loss"] == pytest.approx(oracle.loss, rel=0.05)


@pytest.mark.slow
def test_random_weights_do_not_pass_it() -> None:
    metrics = evaluate(initial(VECTOR), VECTOR, tasks=500)
    assert metrics["loss_ratio"] > 1.1
    assert metrics["sensitivity_cosine"] < 0.5


def test_a_batch_is_its_seed_and_step_however_it_is_reached() -> None:
    ahead = dict(enumerate(batches(SHORT, 57), 57))
    assert list(ahead) == [57, 58, 59]
    for step, batch in ahead.items():
        for name, tensor, expected in nonempty(zip(batch._fields, batch, draw(SHORT, step), strict=True)):
            assert torch.equal(tensor, expected), (step, name)
    assert not torch.equal(ahead[57].x, ahead[58].x)


def test_the_last_steps_see_four_times_the_batch() -> None:
    sizes = [len(draw(SHORT, step).x) for step in (0, 47, 48, 59)]
    assert sizes == [SHORT.batch, SHORT.batch, 4 * SHORT.batch, 4 * SHORT.batch]
    assert len(draw(replace(SHORT, settle=0.0), 59).x) == SHORT.batch


@pytest.mark.slow
def test_evaluation_tasks_are_the_same_for_every_seed_and_of_none() -> None:
    one, other = (Reference.of(replace(SHORT, seed=seed), tasks=4).batch for seed in (0, 1))
    np.testing.assert_array_equal(one.x, other.x)
    assert not np.isin(one.x.astype(np.float32), draw(SHORT, 0).x.numpy()).any()


@pytest.mark.slow
def test_rates_rise_then_fall_to_nothing() -> None:
    optimizer = Optimizer(initial(SHORT), SHORT)
    heights = [optimizer.height(step) for step in range(SHORT.steps)]
    peak = int(np.argmax(heights))
    assert heights[peak] == 1
    assert peak in {5, 6}
    assert np.all(np.diff(heights[:6]) > 0)
    assert np.all(np.diff(heights[7:]) < 0)
    assert heights[-1] < 0.01


def test_weights_that_do_nothing_vanish_and_decays_are_not_pulled() -> None:
    stack = initial(SHORT)
    optimizer = Optimizer(stack, SHORT)
    decays = stack.decay_logit.detach().clone()
    for parameter in stack.parameters():
        parameter.grad = torch.zeros_like(parameter)
    for step in range(SHORT.steps):
        optimizer.step(step)
        for parameter in stack.parameters():
            parameter.grad = torch.zeros_like(parameter)
    assert stack.gain.abs().max() < initial(SHORT).gain.abs().max()
    assert torch.equal(stack.decay_logit, decays)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_a_preset_can_be_written_down(preset: TrainConfig) -> None:
    written = json.loads(json.dumps(preset.as_json()))
    assert written["task"]["kind"] == type(preset.task).__name__
    assert written["steps"] == preset.steps
