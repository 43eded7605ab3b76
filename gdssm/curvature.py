"""A close upper bound of the largest eigenvalue, for the length of gradient steps."""

import torch
from jaxtyping import Float
from torch import Tensor

SQUARINGS = 4


def largest_eigenvalue_bound(matrix: Float[Tensor, "*B D D"]) -> Float[Tensor, "*B"]:
    """An upper bound of λ_max of positive semi-definite matrices of any scale; 0 for a zero matrix."""
    trace = matrix.diagonal(dim1=-2, dim2=-1).sum(-1)
    return trace * power_norm(matrix / torch.where(trace > 0, trace, 1.0)[..., None, None])


def power_norm(matrix: Float[Tensor, "*B D D"]) -> Float[Tensor, "*B"]:
    """An upper bound of λ_max whose 32nd power must be in range: in float64 it is if no diagonal entry is above 1.

    (Σ λ³²)^(1/32) = ‖A¹⁶‖_F^(1/16) lies between λ_max and D^(1/32)·λ_max (7.5 % above for D = 10 and only if all
    eigenvalues are equal; 0.01 % if the second is 3/4 of the first). Power iteration would lie below, and a step of 1/λ
    would diverge.

    Args:
        matrix: Positive semi-definite (*B, D, D).
    """
    for _ in range(SQUARINGS):
        matrix = matrix @ matrix
    bound: Tensor = (matrix * matrix).sum((-2, -1)) ** (0.5 / 2**SQUARINGS)
    return bound
