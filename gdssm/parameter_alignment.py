"""Distance of trained parameters from the constructed ones, up to the symmetries of the model.

A factor can be moved between the pair weight P, the query weight p and the gain B (and, from two layers on, between
x's products and the feedback), so none of them is identified alone. Invariant are each gate's direction (P and p
divided by their largest entry), the decays, and the product P_xy·p_x'·B, which is the learning rate.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gdssm.stack import GDSSM
from gdssm.window import NEXT_X, X, Y


@dataclass(frozen=True)
class ParameterAlignment:
    """A one-layer stack compared with the construction."""

    input_gate_rest: float
    """The largest entry of P other than e₁e₂ᵀ, relative to that one; 0 in the construction."""
    output_gate_rest: float
    """The largest entry of p other than e₃, relative to that one; 0 in the construction."""
    least_decay: float
    """The smallest decay of the states that are used, the x yᵀ block; 1 in the construction."""
    learning_rate: float
    """η: the mean of the diagonal of P_xy·p_x'·B on the outputs."""
    learning_rate_spread: float
    """The largest deviation from η·I in it, relative to η; 0 in the construction."""


def parameter_alignment(stack: GDSSM) -> ParameterAlignment:
    """Compare a stack's first layer with one gradient step from W₀ = 0."""
    with torch.no_grad():
        pair, query = stack.input_gate.pair_weight, stack.output_gate.query_weight
        inputs = stack.feature_map.features
        rates = pair[X, Y] * query[NEXT_X] * stack.gain[0, inputs:]
        rate = rates.diagonal().mean()
        deviation = rates - rate * torch.eye(len(rates), device=rates.device)
        return ParameterAlignment(
            input_gate_rest=_rest(pair.flatten(), 3 * X + Y),
            output_gate_rest=_rest(query, NEXT_X),
            least_decay=float(stack.decay[:inputs, inputs:].min()),
            learning_rate=float(rate),
            learning_rate_spread=float(deviation.abs().max() / rate.abs()),
        )


def _rest(weights: Tensor, wanted: int) -> float:
    others = weights.abs().clone()
    others[wanted] = 0.0
    return float(others.max() / weights[wanted].abs())
