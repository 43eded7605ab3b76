"""The diagonal linear recurrence z_i = a_i ⊙ z_{i−1} + u_i: the gradient accumulator.

Two forms that agree: one step, and all positions at once by an associative scan,
(a₁, s₁)·(a₂, s₂) = (a₁a₂, a₂ ⊙ s₁ + s₂), in O(log N) rounds and O(N) work. The scan only ever multiplies decays with
each other and does not divide, so it is stable for every decay in [0, 1].
"""

import torch
from torch import Tensor, nn


def decay_parameter(value: Tensor) -> nn.Parameter:
    """Make a parameter of decays, marked for optimizers to leave out of weight decay, as others mark theirs."""
    parameter = nn.Parameter(value)
    parameter._no_weight_decay = True  # type: ignore[attr-defined]  # noqa: SLF001
    return parameter


def step(decay: Tensor, update: Tensor, state: Tensor) -> Tensor:
    """Advance the recurrence by one update; all three broadcast against each other."""
    return decay * state + update


def scan(decay: Tensor, update: Tensor, state: Tensor) -> Tensor:
    """Return the state after every update of a sequence, for decays in [0, 1]."""
    if update.shape[1] == 0:
        return update
    first = update[:, :1] + decay[:, :1] * state[:, None]
    return _prefix(decay, torch.cat([first, update[:, 1:]], dim=1))


def _prefix(decay: Tensor, update: Tensor) -> Tensor:
    """Scan from a zero state: combine neighbours, scan half of the sequence, fill in the other half."""
    length = update.shape[1]
    if length == 1:
        return update
    even, odd = slice(0, length - 1, 2), slice(1, length, 2)
    at_odd = _prefix(decay[:, odd] * decay[:, even], decay[:, odd] * update[:, even] + update[:, odd])
    rest = slice(2, length, 2)
    before_rest = at_odd[:, : (length - 1) // 2]
    at_even = torch.cat([update[:, :1], decay[:, rest] * before_rest + update[:, rest]], dim=1)
    joined = torch.stack([at_even[:, : at_odd.shape[1]], at_odd], dim=2).flatten(1, 2)
    return torch.cat([joined, at_even[:, at_odd.shape[1] :]], dim=1)
