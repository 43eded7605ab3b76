"""A step of a run: equal to the plain loop to the bit, with sizes on the device, captured, and in bfloat16."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gdssm.stack import GDSSM
from gdssm.train import growth
from gdssm.train.batches import TrainBatch, draw
from gdssm.train.capture import STEPS_BEFORE, CapturedStep
from gdssm.train.config import TrainConfig
from gdssm.train.evaluate import evaluate
from gdssm.train.loop import Run, initial, train
from gdssm.train.optimizer import Optimizer
from gdssm.train.presets import LINEAR, PRESETS
from gdssm.train.step import TrainStep
from tests.closeness import assert_close
from tests.gdssm.train.runs import SHORT
from tests.nonempty import nonempty


def plain_loop(config: TrainConfig) -> GDSSM:
    """Train by the operations of the first release, one after the other."""
    stack = initial(config)
    kinds: dict[str, list[nn.Parameter]] = {"gates": [], "decay_logit": [], "features": []}
    for name, parameter in stack.named_parameters():
        kind = {"decay_logit": "decay_logit", "feature_map": "features", "head": "features"}.get(name.split(".")[0])
        kinds[kind or "gates"].append(parameter)
    peaks = config.learning_rate, config.decay_learning_rate, config.feature_learning_rate
    groups = [{"params": found} for found in kinds.values()]
    adam = torch.optim.AdamW(groups, eps=config.epsilon, weight_decay=0.0, fused=True)
    schedule = Optimizer(initial(config), config)
    for step in range(config.steps):
        growth.add(stack, config, step)
        batch, height = draw(config, step), schedule.height(step)
        loss = 0.5 * (stack(batch.x, batch.y, batch.x_query) - batch.y_query).square().mean()
        torch.autograd.backward(loss)
        growth.hold(stack, config, step)
        for group, peak in zip(adam.param_groups, peaks, strict=True):
            group["lr"] = height * peak
        nn.utils.clip_grad_norm_([parameter for found in kinds.values() for parameter in found], config.clip)
        adam.step()
        adam.zero_grad()
        length = config.learning_rate * height * height
        with torch.no_grad():
            for weight in kinds["gates"]:
                weight.mul_(1 - length * config.weight_decay)
                if step >= config.sparsity_from * config.steps:
                    weight.copy_(nn.functional.softshrink(weight, length * config.sparsity))
    return stack


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_a_run_on_the_processor_is_the_plain_loop_to_the_bit(preset: str, tmp_path: Path) -> None:
    config = replace(PRESETS[preset], steps=8, batch=32)
    trained, expected = train(config, Run(tmp_path, quiet=True)).state_dict(), plain_loop(config).state_dict()
    for name, tensor in nonempty(expected.items()):
        assert trained[name].numpy().tobytes() == tensor.numpy().tobytes(), name


class Repeater:
    """Repeats work on the processor by calling it again."""

    def __init__(self) -> None:
        self.ran = 0
        self.captured = 0

    def run(self, work: Callable[[], None]) -> None:
        self.ran += 1
        work()

    def capture(self, work: Callable[[], None]) -> Callable[[], None]:
        self.captured += 1
        return work


def losses(config: TrainConfig, take: Callable[[int, TrainBatch], Tensor], stack: GDSSM) -> list[float]:
    found = []
    for step in range(config.steps):
        growth.add(stack, config, step)
        found.append(float(take(step, draw(config, step))))
    return found


@pytest.mark.parametrize("preset", [SHORT, replace(LINEAR, batch=8, steps=40)], ids=lambda config: config.name)
def test_a_captured_step_repeats_the_steps_of_the_run(preset: TrainConfig) -> None:
    stack, repeated, repeater = initial(preset), initial(preset), Repeater()
    step = TrainStep(preset, stack, Optimizer(stack, preset))
    captured = CapturedStep(TrainStep(preset, repeated, Optimizer(repeated, preset, on_device=True)), repeater)
    assert losses(preset, captured, repeated) == pytest.approx(losses(preset, step, stack), rel=1e-4)
    for (name, ours), theirs in nonempty(zip(repeated.named_parameters(), stack.parameters(), strict=True)):
        assert_close(ours, theirs, name, rtol=1e-3)
    kinds = {(preset.contexts(number), growth.waiting(preset, number)) for number in range(preset.steps)}
    assert (repeater.ran, repeater.captured) == (STEPS_BEFORE * len(kinds), len(kinds))


def test_sizes_on_the_device_are_those_of_every_step() -> None:
    stack = initial(SHORT)
    plain, on_device = Optimizer(stack, SHORT), Optimizer(stack, SHORT, on_device=True)
    present = on_device.sizes
    for step in nonempty(range(SHORT.steps)):
        on_device.schedule(step)
        assert on_device.sizes is present
        assert [float(size) for size in present] == pytest.approx(list(plain.sizes_of(step)), rel=1e-6)
    assert min(plain.sizes_of(step).threshold for step in range(6)) == 0
    assert plain.sizes_of(SHORT.steps // 2).threshold > 0


@pytest.mark.parametrize("preset", PRESETS)
def test_the_loss_in_bfloat16_is_within_a_percent(preset: str) -> None:
    config = replace(PRESETS[preset], batch=256)
    stack, batch = initial(config), draw(config, 0)
    found = {}
    for precision in ("float32", "bfloat16"):
        own = replace(config, precision=precision)
        loss = TrainStep(own, stack, Optimizer(stack, own)).loss(batch)
        assert loss.dtype == torch.float32
        weights = [weight for weight in stack.parameters() if weight.numel()]
        found[precision] = loss.detach(), torch.autograd.grad(loss, weights)
    (loss, gradients), (expected, exact) = found["bfloat16"], found["float32"]
    assert float(loss) == pytest.approx(float(expected), rel=0.01)
    assert float(loss) != float(expected)
    for ours, theirs in nonempty(zip(gradients, exact, strict=True)):
        assert ours.dtype == torch.float32
        assert_close(ours, theirs, "gradient", rtol=0.1)


@pytest.mark.slow
def test_a_run_in_bfloat16_arrives_within_a_percent(tmp_path: Path) -> None:
    model, task = replace(LINEAR.model, inputs=3), replace(LINEAR.task, inputs=3)  # type: ignore[type-var]  # a dataclass
    config = replace(LINEAR, model=model, task=task, steps=400, batch=64, log_every=10_000, checkpoint_every=10_000)
    loss = [
        evaluate(train(own, Run(tmp_path / own.precision, quiet=True)), own, tasks=5_000)["loss"]
        for own in (config, replace(config, precision="bfloat16"))
    ]
    assert loss[1] == pytest.approx(loss[0], rel=0.01)
