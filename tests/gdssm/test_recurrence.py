import pytest
import torch

from gdssm import recurrence, reference
from tests.closeness import assert_close


def sequence(length: int, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(length)
    decay = torch.rand(2, length, 5, 3, dtype=dtype, generator=generator)
    decay[:, ::4, 0] = 0.0
    decay[:, ::3, 1] = 1.0
    update = torch.randn(2, length, 5, 3, dtype=dtype, generator=generator)
    return decay, update, torch.randn(2, 5, 3, dtype=dtype, generator=generator)


@pytest.mark.parametrize("length", [*range(1, 18), 63, 64, 65, 1000])
def test_the_scan_is_the_loop(length: int) -> None:
    decay, update, state = sequence(length)
    assert_close(recurrence.scan(decay, update, state), reference.recurrence(decay, update, state), "states")


def test_the_scan_of_nothing_is_nothing() -> None:
    _, update, state = sequence(1)
    assert recurrence.scan(update[:, :0], update[:, :0], state).shape == (2, 0, 5, 3)


@pytest.mark.parametrize("length", [1, 6, 13])
def test_its_gradients_are_the_loops(length: int) -> None:
    tensors = [tensor.requires_grad_() for tensor in sequence(length)]
    actual, expected = (
        torch.autograd.grad((scan(*tensors) ** 3).sum(), tensors) for scan in (recurrence.scan, reference.recurrence)
    )
    for name, ours, literal in zip(("decay", "update", "state"), actual, expected, strict=True):
        assert_close(ours, literal, f"gradient of {name}")


def test_one_decay_for_all_positions_may_be_broadcast() -> None:
    decay, update, state = sequence(11)
    shared = decay[:1, :1].expand(-1, 11, -1, -1)
    expected = reference.recurrence(shared.expand_as(update), update, state)
    assert_close(recurrence.scan(shared, update, state), expected, "states")


@pytest.mark.parametrize("decay", [0.0, 1e-300, 0.5, 0.999999, 1.0])
def test_it_is_stable_over_100_000_steps(decay: float) -> None:
    length = 100_000
    update = torch.ones(1, length, 1, dtype=torch.float64)
    states = recurrence.scan(torch.full_like(update, decay), update, torch.zeros(1, 1, dtype=torch.float64))
    steps = torch.arange(1, length + 1, dtype=torch.float64)
    closed_form = steps if decay == 1 else (1 - decay**steps) / (1 - decay)
    assert_close(states[0, :, 0], closed_form, "geometric series", rtol=1e-9)


def test_a_step_is_one_turn_of_the_loop() -> None:
    decay, update, state = sequence(1)
    assert_close(
        recurrence.step(decay[:, 0], update[:, 0], state),
        reference.recurrence(decay, update, state)[:, 0],
        "state",
    )
