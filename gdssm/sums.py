"""What constructed layers accumulate, as one product: Σ weight·x [x, y]ᵀ.

Their pair weight P = e₁(e₁ + e₂)ᵀ does not look at x_{i+1}. A window's product is then x̃ (x̃ + ỹ)ᵀ with the tokens
x̃ = [x, 0] and ỹ = [0, y], so that a whole sequence needs no windows: its sum is a product of two N-row matrices.
"""

import torch
from torch import nn

from gdssm.layer import State
from gdssm.notation import Inputs, Outputs, Weight


def accumulate(x: Inputs, y: Outputs, weight: Weight) -> State:
    """Read a sequence, N may be 0.

    Args:
        x: (B, N, D).
        y: (B, N, K).
        weight: (B, N).

    Returns:
        The sum of the weights, and Σ x xᵀ and Σ x yᵀ side by side in the first D rows.
    """
    column = weight[..., None]
    products = (column * x).mT @ torch.cat([x, y], -1)
    # onnxruntime 1.31 fills only the first of a batch of empty products.
    products = torch.where(torch.scalar_tensor(x.shape[1], dtype=torch.bool), products, 0.0)
    # The sum runs over a middle axis: onnxruntime 1.31 returns the wrong shape for an empty last one.
    return State(column.sum((1, 2)), nn.functional.pad(products, (0, 0, 0, y.shape[-1])))
