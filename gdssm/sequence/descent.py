"""K gradient steps of least squares at every position of a sequence, read from the side of the query.

With keys k, values v, write strengths β and decays λ the state of one head after position t is

    G_t = λ_t G_{t−1} + β_t k_t k_tᵀ          R_t = λ_t R_{t−1} + β_t k_t v_tᵀ

and K steps on ½·Σ_s β_s (λ_{s+1} ⋯ λ_t) ‖v_s − Wᵀk_s‖² from W₀ = 0 are W_k = W_{k−1} + η_k (R_t − G_t W_{k−1}). Their
prediction W_Kᵀ q is R_tᵀ x, where x is K steps from 0 on G_t x = q: products of G_t with a vector, which a chunk forms
from its keys and from the state before it. Rates are shares of 1/‖G_t‖ (Frobenius), which is at least the largest
eigenvalue: with a share in (0, 2) no factor I − η_k G_t has a norm above 1, and K steps do not diverge.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

TINY = 1e-12
"""Least ‖G‖², for positions before which nothing was written."""


class HeadState(NamedTuple):
    """The state of every head."""

    gram: Float[Tensor, "B A D D"]
    """G."""
    cross: Float[Tensor, "B A D E"]
    """R."""


class HeadInputs(NamedTuple):
    """What every head reads with and writes at each position."""

    query: Float[Tensor, "B A T D"]
    key: Float[Tensor, "B A T D"]
    value: Float[Tensor, "B A T E"]
    strength: Float[Tensor, "B A T"]
    """β."""
    log_decay: Float[Tensor, "B A T"]
    """log λ."""


def descend(
    gram: Callable[[Tensor], Tensor], query: Float[Tensor, "*B D"], rates: Iterable[Tensor]
) -> Float[Tensor, "*B D"]:
    """Take one step from 0 on G x = q for each rate, given x ↦ G x."""
    first, *others = rates
    move = solution = first * query
    remainder = query
    for rate in others:
        remainder = remainder - gram(move)
        move = rate * remainder
        solution = solution + move
    return solution


def scan(
    inputs: HeadInputs,
    shares: Float[Tensor, "L A"],
    state: HeadState,
    run: Int[Tensor, "B T"],
    chunk: int,
) -> tuple[Float[Tensor, "B A T E"], HeadState]:
    """Write and read every position; states exist between chunks only, and a chunk of one is the recurrent step.

    Args:
        inputs: q, k, v, β and log λ.
        shares: Rates of the L steps of every head, as shares of 1/‖G‖.
        state: Before the first position.
        run: The number of the sequence that a position belongs to, rising from 0, which continues `state`.
        chunk: Positions of a chunk. An exported graph has one chunk, because a graph has no loop.
    """
    if torch.compiler.is_exporting():
        return _chunk(inputs, shares, state, run, run == 0)
    outputs, before = [], torch.zeros_like(run[:, :1])
    parts = zip(*(torch.split(tensor, chunk, 2) for tensor in inputs), strict=True)
    for part, runs in zip(parts, torch.split(run, chunk, 1), strict=True):
        output, state = _chunk(HeadInputs(*part), shares, state, runs, runs == before)
        outputs.append(output)
        before = runs[:, -1:]
    return torch.cat(outputs, 2), state


def _chunk(
    inputs: HeadInputs, shares: Tensor, state: HeadState, run: Int[Tensor, "B T"], continues: Bool[Tensor, "B T"]
) -> tuple[Tensor, HeadState]:
    query, key, value, strength, log_decay = inputs
    age = log_decay.cumsum(-1)
    carried = torch.where(continues[:, None], age, -torch.inf).exp()[..., None]
    reads = (run[:, :, None] == run[:, None, :]).tril()[:, None]
    fade = torch.where(reads, age[..., :, None] - age[..., None, :], -torch.inf).exp()
    weight = fade * strength[..., None, :]

    def gram(vector: Tensor) -> Tensor:
        return carried * (vector @ state.gram) + ((vector @ key.mT) * weight) @ key

    # ‖λG + βkkᵀ‖² = ‖λG‖² + 2β·kᵀ(λG)k + β²‖k‖⁴, and kᵀ(λG)k is kᵀGk after the position less β‖k‖⁴.
    added = strength * (2.0 * (key * gram(key)).sum(-1) - strength * key.square().sum(-1).square())
    norm = carried[..., 0].square() * state.gram.square().sum((-2, -1))[..., None]
    norm = (norm + (fade.square() @ added[..., None])[..., 0]).clamp_min(TINY).sqrt()
    solution = descend(gram, query, [(share[:, None] / norm)[..., None] for share in shares])
    output = carried * (solution @ state.cross) + ((solution @ key.mT) * weight) @ value
    last, kept = (weight[:, :, -1, :, None] * key).mT, carried[:, :, -1:]
    return output, HeadState(kept * state.gram + last @ key, kept * state.cross + last @ value)
