"""Every baseline, asked the same way."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gdssm import recurrence, reference
from gdssm.baselines.catalog import all_baselines
from gdssm.baselines.recurrent import GRU
from gdssm.baselines.sequence import SequenceModel
from tests.closeness import assert_close
from tests.gdssm.contexts import B, D, K, context
from tests.nonempty import nonempty

NAMES = ["transformer", "linear attention", "gru", "diagonal ssm", "selective ssm"]
SCANS = ["diagonal ssm", "selective ssm"]

every_baseline = pytest.mark.parametrize("name", NAMES)
every_depth = pytest.mark.parametrize("layers", [1, 2])
every_input = pytest.mark.parametrize("windowed", [True, False], ids=["windowed", "raw"])


def model(name: str, layers: int, windowed: bool) -> SequenceModel:
    torch.manual_seed(0)
    return all_baselines(D, K, layers, windowed=windowed)[name].make().double()


def test_the_catalog_is_complete_and_of_comparable_size() -> None:
    for windowed in (True, False):
        for layers in (1, 2):
            configs = all_baselines(D, K, layers, windowed=windowed)
            assert list(configs) == NAMES
            assert all(config.windowed == windowed and config.layers == layers for config in configs.values())
            sizes = [sum(weight.numel() for weight in config.make().parameters()) for config in configs.values()]
            assert max(sizes) < 1.3 * min(sizes)


@every_baseline
@every_depth
@every_input
@pytest.mark.parametrize("length", [1, 2, 7, 30])
def test_any_number_of_observations_has_one_answer(name: str, layers: int, windowed: bool, length: int) -> None:
    prediction = model(name, layers, windowed)(*context(length, queries=1))
    assert prediction.shape == (B, 1, K)
    assert prediction.isfinite().all()


@every_baseline
@every_depth
@every_input
@pytest.mark.parametrize("changed", ["first x", "first y", "last y", "x_query"])
def test_predictions_depend_on_all_inputs(name: str, layers: int, windowed: bool, changed: str) -> None:
    x, y, x_query = context(queries=1)
    asked = model(name, layers, windowed)
    before = asked(x, y, x_query)
    place = {"first x": x[:, 0], "first y": y[:, 0], "last y": y[:, -1], "x_query": x_query}[changed]
    place += 0.5
    difference = (asked(x, y, x_query) - before).abs().amax((1, 2))
    assert (difference > 1e-8).all()


@pytest.mark.slow
@every_baseline
@every_input
def test_contexts_of_a_batch_are_independent(name: str, windowed: bool) -> None:
    tensors = context(queries=1)
    asked = model(name, 2, windowed)
    together = asked(*tensors)
    for b in range(B):
        alone = asked(*(tensor[b : b + 1] for tensor in tensors))
        assert_close(alone, together[b : b + 1], f"prediction of context {b}")


@every_baseline
@every_depth
@every_input
def test_a_gradient_reaches_every_parameter(name: str, layers: int, windowed: bool) -> None:
    learner = model(name, layers, windowed)
    torch.autograd.backward(learner(*context(queries=1)).square().sum())
    for label, weight in nonempty(learner.named_parameters()):
        assert weight.grad is not None, label
        assert weight.grad.isfinite().all(), label
        assert (weight.grad != 0).any(), label


@pytest.mark.parametrize("name", SCANS)
@every_input
@pytest.mark.parametrize("length", [1, 2, 7, 30])
def test_the_scan_is_the_plain_loop(name: str, windowed: bool, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, tensors = model(name, 2, windowed), context(length, queries=1)
    scanned = asked(*tensors)
    calls: list[int] = []
    monkeypatch.setattr(recurrence, "scan", counting(reference.recurrence, calls))
    assert_close(asked(*tensors), scanned, "prediction")
    assert len(calls) == 2


def counting(scan: Callable[..., Tensor], calls: list[int]) -> Callable[..., Tensor]:
    def counted(decay: Tensor, update: Tensor, state: Tensor) -> Tensor:
        calls.append(update.shape[1])
        return scan(decay, update, state)

    return counted


@pytest.mark.slow
def test_a_windowed_gru_learns_linear_tasks() -> None:
    torch.manual_seed(0)
    learner = GRU(inputs=2, outputs=1, windowed=True).make()
    optimizer = torch.optim.Adam(learner.parameters(), 3e-3)

    def losses(tasks: int) -> tuple[Tensor, Tensor]:
        x = 2.0 * torch.rand(tasks, 11, 2) - 1.0
        y = x @ torch.randn(tasks, 2, 1)
        error = learner(x[:, :-1], y[:, :-1], x[:, -1:]) - y[:, -1:]
        return 0.5 * error.square().mean(), 0.5 * y[:, -1:].square().mean()

    for _ in range(300):
        optimizer.zero_grad()
        torch.autograd.backward(losses(64)[0])
        optimizer.step()
    loss, of_zero = losses(2000)
    assert loss < 0.4 * of_zero
