"""Ridge regression at every strength from one run of gradient descent.

Gradient flow (descent with steps that go to zero) on ½·wᵀGw − cᵀw from w = 0 is at w(t) = Q(t) c at time t, with
Q(t) = (I − e^{−Gt}) G⁻¹. What Bayesian ridge regression needs are averages over its path:

    (G + aI)⁻¹        = ∫₀^∞ a e^{−at} Q(t) dt               stopping time exponentially distributed with rate a
    log det(I + G/a)  = ∫₀^∞ e^{−at} tr(I − e^{−Gt}) dt/t     the part of the residuals that is removed (Frullani)

In log t both integrands are smooth, so the trapezoid rule at t = …, ½, 1/√2, 1, √2, 2, … has an error of 1e-10.
Doubling the time takes two matrix products: Q(2t) = Q(t) + e^{−Gt} Q(t) and e^{−2Gt} = (e^{−Gt})². Times from one on
are two such runs in one batch, from 1 and √2; earlier ones come from a short series, since G is scaled to λ ≤ 1/8
(`quadrature`).
"""

from math import factorial, sqrt
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from gdssm import quadrature
from gdssm.curvature import power_norm
from gdssm.prior import SMALLEST_BOUND
from gdssm.quadrature import DOUBLINGS, PATH, POWERS, UNOBSERVED_DOUBLINGS

# Tensors, because the exporter writes numbers of Python in single precision.
STARTS = torch.tensor([1.0, sqrt(2.0)], dtype=torch.float64)
SERIES = torch.stack([STARTS ** (j + 1) * (-1) ** j / factorial(j + 1) for j in range(2 * POWERS - 2)])
"""Q(1) and Q(√2) as sums of G⁰ … G⁹, (10, 2)."""
EARLY, LATE = torch.from_numpy(quadrature.EARLY), torch.from_numpy(quadrature.LATE)
EARLY_SOLUTION, EARLY_TRACE = torch.from_numpy(quadrature.EARLY_SOLUTION), torch.from_numpy(quadrature.EARLY_TRACE)
WHERE_ZERO = torch.from_numpy(quadrature.WHERE_ZERO)
LATE_TRACE = torch.full_like(LATE, quadrature.STEP)


class Path(NamedTuple):
    """Gradient flow: J matrices whose weighted sums are (G + aI)⁻¹, its products with c, and log det(I + G/a)."""

    unit: Float[Tensor, "B 1"]
    """Unit of G, in which rates are given and inverses are read."""
    inverses: Float[Tensor, "B J D*D"]
    """G⁰ … G⁵, and Q at the times 1, √2, 2, …."""
    solutions: Float[Tensor, "B J D*K"]
    """Their products with c."""
    unobserved: Float[Tensor, "B D*D"]
    """e^{−Gt} long after the last time: the projection onto unobserved directions."""
    traces: Float[Tensor, "B J 1"]
    """The traces of G¹ … G⁵ (0 before them), and tr(I − e^{−Gt}) at these times."""


def follow(gram: Float[Tensor, "B D D"], cross: Float[Tensor, "B D K"]) -> Path:
    """Follow gradient flow from zero; G is positive semi-definite with no diagonal entry above 1."""
    unit = 8.0 * power_norm(gram).clamp(min=SMALLEST_BOUND)[:, None]
    first = gram / unit[..., None]
    place = torch.arange(gram.shape[-1], device=gram.device)
    identity = (place[:, None] == place).to(gram.dtype) + torch.zeros_like(gram)
    powers = [identity, first]
    for _ in range(2, POWERS):
        powers.append(powers[-1] @ first)
    inverse = _series(powers[:-1], 0) + powers[-1][:, None] @ _series(powers[:-1], POWERS - 1)
    remainder = start = identity[:, None] - first[:, None] @ inverse
    solution = inverse @ cross[:, None]
    inverses, solutions, norms = [inverse], [solution], []
    for _ in range(DOUBLINGS):
        # Solutions do not use the inverses, which take half of the time and may be left out of the graph.
        solution, inverse = solution + remainder @ solution, inverse + remainder @ inverse
        solutions.append(solution)
        inverses.append(inverse)
        norms.append(torch.linalg.vector_norm(remainder, dim=(2, 3)))
        remainder = remainder @ remainder
    unobserved = remainder[:, 1]
    for _ in range(UNOBSERVED_DOUBLINGS):
        unobserved = unobserved @ unobserved
    own = [_trace(power * identity) for power in powers]
    first_left = (start * identity[:, None]).sum((2, 3))
    left = torch.cat([first_left, torch.cat(norms, 1).square()], 1)  # the trace of a square is a norm, squared
    return Path(
        unit,
        torch.cat([torch.stack(powers, 1), *inverses], 1).flatten(2),
        torch.cat([torch.stack([power @ cross for power in powers], 1), *solutions], 1).flatten(2),
        unobserved.flatten(1),
        torch.cat([0.0 * own[0], *own[1:], own[0] - left], 1)[..., None],
    )


def _trace(matrix: Float[Tensor, "B D D"]) -> Float[Tensor, "B 1"]:
    return matrix.sum((1, 2))[:, None]


def _series(powers: list[Tensor], start: int) -> Float[Tensor, "B 2 D D"]:
    """Sum G^(j − start)·t^(j + 1)·(−1)^j/(j + 1)! over as many j from `start` as there are powers, for both times."""
    total = torch.zeros_like(powers[0])[:, None]
    for power, factor in zip(powers, SERIES[start:], strict=False):
        total = total + factor[:, None, None] * power[:, None]
    return total


def ridge_weights(rate: Float[Tensor, "B S"]) -> Float[Tensor, "B S J"]:
    """Weights of the path by which its `inverses` sum to (G + aI)⁻¹, and its `solutions` to (G + aI)⁻¹ c.

    The rate a is in the unit of the path, at least `quadrature.LOWEST_RATE`. `quadrature` has the same in numpy.
    """
    early, late = _at_times(rate)
    early, late = early * rate[..., None] * EARLY, late * rate[..., None] * LATE
    # The error of the rule for a constant is known: its sum is normalised to one.
    total = early.sum(-1, keepdim=True) + late.sum(-1, keepdim=True)
    return torch.cat([early @ EARLY_SOLUTION, _on_path(late)], -1) / total


def null_weights(rate: Float[Tensor, "B S"], weights: Float[Tensor, "B S J"]) -> Float[Tensor, "B S"]:
    """The weight of `unobserved`, which completes an inverse there; `weights` are `ridge_weights`."""
    return 1.0 / rate - weights @ WHERE_ZERO


def log_determinant_weights(rate: Float[Tensor, "B S"]) -> Float[Tensor, "B S J"]:
    """Weights of the path by which its `traces` sum to log det(I + G/a); see `ridge_weights`."""
    early, late = _at_times(rate)
    # The step is in the tables: onnxruntime 1.31 would fuse it into the next product, in single precision.
    return torch.cat([early @ EARLY_TRACE, _on_path(late * LATE_TRACE)], -1)


def _on_path(late: Float[Tensor, "B S T"]) -> Float[Tensor, "B S T_path"]:
    """Use the last time on the path for all later ones."""
    before, after = PATH - 1, late.shape[-1] - PATH + 1
    return torch.cat([late.narrow(2, 0, before), late.narrow(2, before, after).sum(-1, keepdim=True)], -1)


def _at_times(rate: Float[Tensor, "B S"]) -> tuple[Float[Tensor, "B S T_early"], Float[Tensor, "B S T_late"]]:
    """e^{−a t} at the times below one, and at those from one on."""
    return torch.exp(-rate[..., None] * EARLY), torch.exp(-rate[..., None] * LATE)
