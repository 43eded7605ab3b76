"""K gradient steps read from one accumulated state.

The gradient of ½·mean‖y − Wᵀx‖² is G W − R with G = mean x xᵀ and R = mean x yᵀ. Both are blocks of the state
that the pair weight P = e₁(e₁ + e₂)ᵀ accumulates, so all layers of a stack read one state and K steps take one pass
over the context: layer k reads it with C = η_k·[−W_{k−1}ᵀ I] and S = [W_{k−1}ᵀ 0] (`construction.one_step_from`), so
W_k = W_{k−1} + η_k (R − G W_{k−1}).

This P does not read x_{i+1}, and the product of a window is x̃ (x̃ + ỹ)ᵀ with x̃ = [x, 0] and ỹ = [0, y]. So the sum
over a sequence is one product of two matrices of N rows, without windows (`sufficient_statistics`).
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.layer import State
from gdssm.notation import Inputs, LinearWeight, Outputs, Weight

Gram = Float[Tensor, "*B D D"]
"""G = mean x xᵀ."""

Step = Callable[[Gram, LinearWeight], LinearWeight]
"""From G and the direction −gradient (*B, D, K) to η·direction."""


def sufficient_statistics(x: Inputs, y: Outputs, weight: Weight) -> State:
    """Sum Σ weight·x [x, y]ᵀ over a sequence, N may be 0.

    Returns:
        The sum of the weights, and Σ x xᵀ and Σ x yᵀ side by side in the first D rows.
    """
    column = weight[..., None]
    products = (column * x).mT @ torch.cat([x, y], -1)
    # onnxruntime 1.31 fills only the first of a batch of empty products.
    products = torch.where(torch.scalar_tensor(x.shape[1], dtype=torch.bool), products, 0.0)
    # The sum runs over a middle axis: onnxruntime 1.31 returns the wrong shape for an empty last one.
    return State(column.sum((1, 2)), nn.functional.pad(products, (0, 0, 0, y.shape[-1])))


def descend(gram: Gram, cross: LinearWeight, steps: Sequence[Step]) -> LinearWeight:
    """Take gradient steps from W₀ = 0; for another W₀, use cross − G W₀ and add W₀.

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
    """The step size that lowers the loss most, for each output separately: η = gᵀg / gᵀGg.

    Args:
        gram: (*B, D, D).
        direction: (*B, D, K).
        given: Replaces the step size where it is positive; if 0, also where the direction is 0.
    """
    slope = (direction * direction).sum(-2, keepdim=True)
    bend = (direction * (gram @ direction)).sum(-2, keepdim=True)
    return torch.where(bend > torch.where(given > 0, torch.inf, given), slope / bend, given)
