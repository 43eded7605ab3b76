"""The analytic weights that make the layer a gradient step, one function for each statement of the paper.

All minimise the loss of the implicit linear model y = Wᵀx, ½·mean_i ‖y_i − Wᵀx_i‖², for scalar (K = 1) and
vector (K > 1) y alike (arXiv 2410.11687v2, sections on one step and on vector-valued regression).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from gdssm.layer import GDSSMLayer
from gdssm.notation import LinearWeight
from gdssm.stack import GDSSM, StackConfig
from gdssm.window import NEXT_X, X, Y

CERTAIN = 40.0
"""A logit whose sigmoid rounds to 1."""


def pairs(*products: tuple[int, int], dtype: torch.dtype | None = None) -> Tensor:
    """Make the pair weight (3, 3) that adds up the given products of window places, e.g. (X, Y) for e₁e₂ᵀ."""
    weight = torch.zeros(3, 3, dtype=dtype)
    for product in products:
        weight[product] = 1.0
    return weight


def place(index: int, dtype: torch.dtype | None = None) -> Tensor:
    """Make the query weight (3,) that picks one place of the window, e.g. NEXT_X for e₃."""
    return torch.eye(3, dtype=dtype)[index]


def one_step(inputs: int, outputs: int, learning_rate: float, dtype: torch.dtype = torch.float32) -> GDSSMLayer:
    """Make the layer that takes one gradient step from W₀ = 0.

    The gradient at zero is −mean x yᵀ, so P = e₁e₂ᵀ, Λ = 1, p = e₃, C = η on the output features: the prediction is
    η·(mean x yᵀ)ᵀ x_query.
    """
    features = inputs + outputs
    readout = torch.zeros(features, features, dtype=dtype)
    readout[inputs:, inputs:] = learning_rate * torch.eye(outputs, dtype=dtype)
    return GDSSMLayer(
        pair_weight=pairs((X, Y), dtype=dtype),
        decay=torch.ones(features, features, dtype=dtype),
        query_weight=place(NEXT_X, dtype=dtype),
        readout=readout,
        skip=torch.zeros(features, features, dtype=dtype),
    )


def one_step_from(initial_weight: LinearWeight, learning_rate: float) -> GDSSMLayer:
    """Make the layer that takes one gradient step from any W₀.

    The gradient at W₀ is mean x (W₀ᵀx − y)ᵀ, so the gate makes x xᵀ and x yᵀ, P = e₁(e₁ + e₂)ᵀ; the readout combines
    them to residuals, C = η·[−W₀ᵀ I]; and the skip adds the prediction of W₀, S = [W₀ᵀ 0].
    """
    inputs, outputs = initial_weight.shape
    layer = one_step(inputs, outputs, learning_rate, initial_weight.dtype)
    with torch.no_grad():
        layer.input_gate.pair_weight.copy_(pairs((X, X), (X, Y)))
        layer.readout[inputs:, :inputs] = -learning_rate * initial_weight.mT
        layer.skip[inputs:, :inputs] = initial_weight.mT
    return layer


def steps(inputs: int, outputs: int, learning_rates: Sequence[float], dtype: torch.dtype = torch.float32) -> GDSSM:
    """Make the stack whose L layers take one gradient step each from W₀ = 0.

    P = e₁(e₁ + e₂)ᵀ, Λ = 1, p = e₃; layer k gains η_k from the outputs' places and feeds η_k back from the inputs'.
    """
    stack = GDSSM(StackConfig(inputs, outputs, layers=len(learning_rates))).to(dtype)
    output_places = torch.eye(inputs + outputs, dtype=dtype)[:, inputs:]
    input_places = torch.diag((torch.arange(inputs + outputs) < inputs).to(dtype))
    with torch.no_grad():
        stack.input_gate.pair_weight.copy_(pairs((X, X), (X, Y)))
        stack.decay_logit.fill_(CERTAIN)
        stack.output_gate.query_weight.copy_(place(NEXT_X))
        for k, learning_rate in enumerate(learning_rates):
            stack.gain[k] = learning_rate * output_places
            if k:
                stack.feedback[k - 1] = learning_rate * input_places
    return stack
