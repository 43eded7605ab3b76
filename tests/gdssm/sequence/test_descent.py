"""Chunks, single positions and the literal definition agree; steps of any number do not diverge."""

import pytest
import torch
from torch import Tensor

from gdssm import reference
from gdssm.sequence.descent import HeadInputs, HeadState, scan
from tests.closeness import assert_close
from tests.nonempty import nonempty

B, A, T, D, E = 2, 3, 11, 5, 4


def drawn(dtype: torch.dtype = torch.float64, length: int = T) -> tuple[HeadInputs, HeadState, Tensor]:
    """Draw inputs, an empty state and one run."""
    generator = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(B, A, length, n, dtype=torch.float64, generator=generator).to(dtype) for n in (D, D, E)
    )
    strength, log_decay = (
        torch.randn(B, A, length, dtype=torch.float64, generator=generator).to(dtype) for _ in range(2)
    )
    inputs = HeadInputs(query, key, value, strength.sigmoid(), torch.nn.functional.logsigmoid(log_decay + 1.0))
    empty = HeadState(query.new_zeros(B, A, D, D), query.new_zeros(B, A, D, E))
    return inputs, empty, torch.zeros(B, length, dtype=torch.long)


def shares(steps: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.linspace(0.3, 1.9, steps * A, dtype=dtype).reshape(steps, A)


def part(inputs: HeadInputs, positions: slice) -> HeadInputs:
    return HeadInputs(*(each[:, :, positions] for each in inputs))


def literal(inputs: HeadInputs, rates: Tensor) -> Tensor:
    rows = [
        [
            reference.descent_by_position(
                inputs.query[b, a],
                inputs.key[b, a],
                inputs.value[b, a],
                inputs.strength[b, a],
                decay=inputs.log_decay[b, a].exp(),
                shares=rates[:, a].tolist(),
            )
            for a in range(A)
        ]
        for b in range(B)
    ]
    return torch.stack([torch.stack(row) for row in rows])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("steps", [1, 3, 8])
@pytest.mark.parametrize("chunk", [1, 4, 64])
def test_every_chunk_is_explicit_descent_at_every_position(dtype: torch.dtype, steps: int, chunk: int) -> None:
    inputs, empty, run = drawn(dtype)
    rates = shares(steps, dtype)
    output, state = scan(inputs, rates, empty, run, chunk)
    assert_close(output, literal(inputs, rates), "output")
    _, state_by_position = scan(inputs, rates, empty, run, 1)
    assert_close(state.gram, state_by_position.gram, "G")
    assert_close(state.cross, state_by_position.cross, "R")


@pytest.mark.parametrize("chunk", [1, 3, 5])
def test_gradients_do_not_depend_on_the_chunk(chunk: int) -> None:
    inputs, empty, run = drawn()
    tensors = [tensor.requires_grad_() for tensor in (*inputs, shares(3))]

    def gradients(chunk: int) -> tuple[Tensor, ...]:
        output, state = scan(HeadInputs(*tensors[:-1]), tensors[-1], empty, run, chunk)
        return torch.autograd.grad(output.square().sum() + state.gram.square().sum(), tensors)

    names = ("q", "k", "v", "β", "log λ", "shares")
    for name, ours, whole in nonempty(zip(names, gradients(chunk), gradients(T), strict=True)):
        assert_close(ours, whole, f"gradient of {name}", rtol=1e-10)


@pytest.mark.parametrize("cut", [1, 4, 10])
def test_a_sequence_continues_from_its_state(cut: int) -> None:
    inputs, empty, run = drawn()
    whole, final = scan(inputs, shares(3), empty, run, 4)
    first, state = scan(part(inputs, slice(cut)), shares(3), empty, run[:, :cut], 4)
    second, after = scan(part(inputs, slice(cut, None)), shares(3), state, run[:, cut:], 4)
    assert_close(torch.cat([first, second], 2), whole, "output")
    assert_close(after.cross, final.cross, "R")


@pytest.mark.parametrize("chunk", [1, 2, 4, 64])
def test_a_new_run_begins_from_nothing(chunk: int) -> None:
    inputs, empty, _ = drawn()
    run = torch.tensor([[0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2], [1, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3]])
    state = HeadState(torch.ones_like(empty.gram), torch.ones_like(empty.cross))
    output, after = scan(inputs, shares(3), state, run, chunk)
    for b, places in enumerate(((slice(3, 8), slice(8, 11)), (slice(0, 6), slice(6, 7), slice(7, 11)))):
        for place in places:
            alone, last = scan(part(inputs, place), shares(3), empty, 0 * run[:, place], 64)
            assert_close(output[b, :, place], alone[b], f"row {b}, {place}")
        assert_close(after.gram[b], last.gram[b], f"G of row {b}")


@pytest.mark.parametrize("alike", [True, False], ids=["one key", "any keys"])
def test_many_steps_of_the_largest_rates_stay_bounded(alike: bool) -> None:
    inputs, empty, run = drawn(torch.float32, 200)
    empty = HeadState(empty.gram, empty.gram)
    key = torch.nn.functional.normalize(inputs.key[:, :, :1].expand(B, A, 200, D) if alike else inputs.key, dim=-1)
    inputs = HeadInputs(inputs.query, key, key, torch.ones(B, A, 200), torch.zeros(B, A, 200))
    output, _ = scan(inputs, torch.full((64, A), 1.999), empty, run, 64)
    # Values are keys, so the prediction is (I − Π(I − η_k G))q, and no product of these factors is longer than 1.
    assert (output.norm(dim=-1) <= 2.001 * inputs.query.norm(dim=-1)).all()


def test_larger_rates_would_diverge() -> None:
    inputs, empty, run = drawn(torch.float32, 20)
    inputs = inputs._replace(key=inputs.key[:, :, :1].expand(B, A, 20, D))
    output, _ = scan(inputs, torch.full((64, A), 2.5), empty, run, 64)
    assert output.abs().max() > 1e6


def test_more_steps_predict_better_on_exact_tasks() -> None:
    inputs, empty, run = drawn(length=40)
    matrix = torch.randn(A, D, E, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    task = inputs._replace(value=inputs.key @ matrix, log_decay=torch.zeros_like(inputs.log_decay))
    errors = []
    for steps in (1, 3, 10, 100):
        output, _ = scan(task, torch.full((steps, A), 1.0, dtype=torch.float64), empty, run, 16)
        errors.append((output - inputs.query @ matrix)[:, :, 20:].square().mean().item())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-6 * errors[0]
