"""A stack gets its layers one by one, and each changes nothing when it comes."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gdssm.evaluation.tasks.linear import Linear
from gdssm.stack import GDSSM, StackConfig
from gdssm.train import growth
from gdssm.train.batches import draw
from gdssm.train.evaluate import evaluate
from gdssm.train.loop import Run, initial, train
from gdssm.train.presets import PRESETS
from tests.closeness import assert_close
from tests.gdssm.train.runs import SHORT
from tests.nonempty import nonempty

DEEP = replace(SHORT, model=StackConfig(inputs=3, outputs=2, layers=5), steps=100, grow=0.4, settle=0.0)


def test_layers_are_added_evenly() -> None:
    waiting = [growth.waiting(DEEP, step) for step in range(DEEP.steps)]
    assert waiting == [4] * 10 + [3] * 10 + [2] * 10 + [1] * 10 + [0] * 60


def test_without_growth_all_are_there_from_the_start() -> None:
    still = replace(DEEP, grow=0.0)
    assert {growth.waiting(still, step) for step in range(still.steps)} == {0}
    with torch.random.fork_rng():
        torch.manual_seed(still.seed)
        drawn = GDSSM(still.model)
    for actual, expected in nonempty(zip(initial(still).parameters(), drawn.parameters(), strict=True)):
        assert torch.equal(actual, expected)


def test_it_begins_as_one_layer() -> None:
    stack, one = initial(DEEP), GDSSM(replace(DEEP.model, layers=1))
    weights = stack.state_dict()
    one.load_state_dict({**weights, "gain": weights["gain"][-1:], "feedback": weights["feedback"][:0]})
    batch = draw(DEEP, 0)
    with torch.no_grad():
        actual, expected = (model(batch.x, batch.y, batch.x_query) for model in (stack, one))
    assert_close(actual.numpy(), expected.numpy(), "prediction", rtol=1e-5)


@pytest.mark.parametrize("step", [10, 20, 30, 40])
def test_a_new_layer_changes_nothing_and_has_a_slope(step: int) -> None:
    stack = initial(DEEP)
    for earlier in range(1, step):
        growth.add(stack, DEEP, earlier)
    before, batch = copy.deepcopy(stack), draw(DEEP, step)
    growth.add(stack, DEEP, step)
    new = growth.waiting(DEEP, step)
    assert before.gain[new].abs().max() == 0
    assert stack.gain[new].abs().max() > 0
    prediction, expected = (model(batch.x, batch.y, batch.x_query) for model in (stack, before))
    assert_close(prediction.detach().numpy(), expected.detach().numpy(), "prediction", rtol=1e-5)
    torch.autograd.backward((prediction - batch.y_query).square().mean())
    for weight in (stack.gain, stack.feedback):
        assert weight.grad is not None
        assert weight.grad[new].abs().max() > 0


@pytest.mark.slow
def test_layers_that_are_not_there_yet_stay_at_zero(tmp_path: Path) -> None:
    late = replace(DEEP, steps=30, grow=2.0)
    stack = train(late, Run(tmp_path, quiet=True))
    there = late.model.layers - growth.waiting(late, late.steps - 1)
    assert [bool(gain.any()) for gain in stack.gain] == [False] * (5 - there) + [True] * there


@pytest.mark.slow
def test_every_layer_of_a_grown_stack_is_a_step_of_descent(tmp_path: Path) -> None:
    config = replace(
        PRESETS["linear-5step-trained"],
        model=StackConfig(inputs=2, layers=3),
        task=Linear(inputs=2),
        batch=64,
        steps=1500,
        log_every=10_000,
        checkpoint_every=10_000,
    )
    metrics = evaluate(train(config, Run(tmp_path, quiet=True)), config, tasks=20_000)
    assert metrics["loss_ratio"] < 1.1
    assert metrics["sensitivity_cosine"] > 0.99


def test_a_run_that_neither_grows_nor_settles_is_written_as_runs_were_before() -> None:
    written = json.loads(json.dumps(replace(SHORT, grow=0.0, settle=0.0).as_json()))
    assert {"grow", "settle"}.isdisjoint(written)
    assert SHORT.as_json()["grow"] == SHORT.grow
    assert SHORT.as_json()["settle"] == SHORT.settle
