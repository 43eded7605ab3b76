"""K gradient steps read from one accumulated state.

The gradient of ½·mean‖y − Wᵀx‖² is G W − R with G = mean x xᵀ and R = mean x yᵀ. Both are blocks of the one state
that the pair weight e₁(e₁ + e₂)ᵀ accumulates, so every layer of a stack can read the same state, and K steps cost
one pass over the context: layer k reads it with C = η_k·[−W_{k−1}ᵀ I] and S = [W_{k−1}ᵀ 0] (see
`construction.one_step_from`), which in weights is W_k = W_{k−1} + η_k (R − G W_{k−1}).
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from gdssm.notation import LinearWeight

Gram = Float[Tensor, "*B D D"]
"""G = mean x xᵀ."""

StepSize = Callable[[Gram, LinearWeight], Tensor]
"""From G and the direction −gradient (*B, D, K): η, broadcastable to the direction."""


def descend(gram: Gram, cross: LinearWeight, weight: LinearWeight, step_sizes: Sequence[StepSize]) -> LinearWeight:
    """Take one gradient step per step size.

    Args:
        gram: G = mean x xᵀ (*B, D, D).
        cross: R = mean x yᵀ (*B, D, K).
        weight: W₀ (*B, D, K).
        step_sizes: One rule per step.

    Returns:
        W_K (*B, D, K).
    """
    for step_size in step_sizes:
        direction = cross - gram @ weight
        weight = weight + step_size(gram, direction) * direction
    return weight


def line_search(gram: Gram, direction: LinearWeight) -> Float[Tensor, "*B 1 K"]:
    """Find the step that lowers the loss most, exactly and for each output by itself: η = gᵀg / gᵀGg.

    The loss is a sum over outputs, so each has its own best step, and no output's answer depends on another's.
    Zero where the direction is zero. The direction is taken at length one, so that its powers neither overflow nor
    vanish before G itself does.
    """
    length = direction.abs().amax(-2, keepdim=True)
    unit = direction / torch.where(length > 0, length, 1.0)
    slope = (unit * unit).sum(-2, keepdim=True)
    bend = (unit * (gram @ unit)).sum(-2, keepdim=True)
    return torch.where(bend > 0, slope / torch.where(bend > 0, bend, 1.0), 0.0)
