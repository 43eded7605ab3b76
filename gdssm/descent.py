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

Step = Callable[[Gram, LinearWeight], LinearWeight]
"""From G and the direction −gradient (*B, D, K): η·direction, with the step's own η."""


def descend(gram: Gram, cross: LinearWeight, steps: Sequence[Step]) -> LinearWeight:
    """Take gradient steps from W₀ = 0; from any other W₀, take them for cross − G W₀, and add W₀.

    Args:
        gram: G = mean x xᵀ (*B, D, D).
        cross: R = mean x yᵀ (*B, D, K).
        steps: One rule per step.

    Returns:
        W_K (*B, D, K).
    """
    first, *others = steps
    weight = first(gram, cross)
    for step in others:
        weight = weight + step(gram, cross - gram @ weight)
    return weight


def line_search(gram: Gram, direction: LinearWeight, given: Float[Tensor, ""]) -> Float[Tensor, "*B 1 K"]:
    """Find the step size that lowers the loss most, exactly and for each output by itself: η = gᵀg / gᵀGg.

    The loss is a sum over outputs, so each has its own best step, and no output's answer depends on another's.

    Args:
        gram: (*B, D, D).
        direction: (*B, D, K).
        given: What to take instead where it is positive; if it is 0, it is also what is taken where the direction is.
    """
    slope = (direction * direction).sum(-2, keepdim=True)
    bend = (direction * (gram @ direction)).sum(-2, keepdim=True)
    return torch.where(bend > torch.where(given > 0, torch.inf, given), slope / bend, given)
