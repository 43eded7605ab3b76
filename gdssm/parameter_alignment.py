"""Distance of trained parameters from the constructed ones, up to the symmetries of the model.

A factor can be moved between the pair weight P, the query weight p and the gain B (and, from two layers on, between
x's products and the feedback), so none of them is identified alone. Invariant are each gate's direction (P and p
divided by their largest entry), the decays, and the product P_xy·p_x'·B, which is the learning rate.

Several layers have as many learning rates, whatever their order and the division between gain and feedback: along an
eigenvector of mean x xᵀ with eigenvalue λ descent leaves the share r(λ) = Π_k (1 − η_k λ) of the error, so the rates
are the inverse roots of the stack's residual polynomial.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.polynomial import Polynomial
from torch import Tensor

from gdssm.arrays import Array
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


def stack_rates(stack: GDSSM) -> Array:
    """The learning rates (L,) of a stack by their real parts, complex: the inverse roots of its residual polynomial.

    With the gates of descent, and the means of the diagonals for feedback and gain,
    w_k = w_{k−1} + P_xy·b_k·λ − P_xx·a_k·λ·w_{k−1} and r(λ) = 1 − p_x'·w_L(λ). A rate without a positive real part is
    not one of descent: a random feedback had the wrong sign and kept it, or (rate 0) a layer has no effect.
    """
    gains, feedbacks = _gains_and_feedbacks(stack)
    eigenvalue = Polynomial([0.0, 1.0])
    answer = gains[0] * eigenvalue
    for gain, feedback in zip(gains[1:], feedbacks, strict=True):
        answer = answer + gain * eigenvalue - feedback * eigenvalue * answer
    found = 1.0 / (1.0 - answer).trim().roots()
    rates: Array = np.sort_complex(np.pad(found, (0, len(gains) - len(found))))
    return rates


def mini_batch_rates(stack: GDSSM) -> Array:
    """The learning rate (L,) of each mini-batch of a `MiniBatchStack`.

    Layer k adds η_k R_k by its gain and subtracts η_k G_k W_{k−1} by its feedback: the mean of both from k = 2 on.
    """
    gains, feedbacks = _gains_and_feedbacks(stack)
    rates: Array = np.concatenate([gains[:1], (gains[1:] + feedbacks) / 2])
    return rates


def rates_difference(rates: Array, best: Sequence[float]) -> float:
    """The largest distance of a rate from the best one of its place, relative to that; 1 or more if not positive."""
    return float(np.max(np.abs(rates - np.array(best)) / np.array(best)))


@torch.no_grad()
def _gains_and_feedbacks(stack: GDSSM) -> tuple[Array, Array]:
    """Each layer's gain (L,) and feedback (L − 1,) with the factors of the gates, means of their diagonals."""
    pair, query = stack.input_gate.pair_weight.double(), stack.output_gate.query_weight.double()
    inputs = stack.feature_map.features
    gains = float(pair[X, Y] * query[NEXT_X]) * _diagonal(stack.gain[:, inputs:])
    return gains, float(pair[X, X]) * _diagonal(stack.feedback[:, :inputs, :inputs])


def _diagonal(matrices: Tensor) -> Array:
    """The mean of the diagonal of each matrix (L, n, n)."""
    means: Array = matrices.double().diagonal(dim1=1, dim2=2).mean(1).numpy()
    return means


def _rest(weights: Tensor, wanted: int) -> float:
    others = weights.abs().clone()
    others[wanted] = 0.0
    return float(others.max() / weights[wanted].abs())
