"""Ridge regression at every strength from one run of gradient descent.

Gradient flow (descent with steps that go to zero) on ½·wᵀGw − cᵀw from w = 0 is at w(t) = Q(t) c at time t, with
Q(t) = (I − e^{−Gt}) G⁻¹. What Bayesian ridge regression needs are averages over its path:

    (G + aI)⁻¹        = ∫₀^∞ a e^{−at} Q(t) dt               stop at a time that is exponentially distributed, rate a
    log det(I + G/a)  = ∫₀^∞ e^{−at} tr(I − e^{−Gt}) dt/t     what descent has removed of the residuals (Frullani)

In log t both integrands are smooth, so the trapezoid rule at t = …, ¼, ½, 1, 2, 4, … misses the integral of a·e^{−at}
by 1e-5 at most: 1e-5·a/λ of an inverse in the direction of an eigenvalue λ above a, 1e-4 of one below, and 4e-6 of a
log determinant for each. To double the time takes two matrix products: Q(2t) = Q(t) + e^{−Gt} Q(t) and
e^{−2Gt} = (e^{−Gt})². Times up to one come from a short series, since G is scaled to λ ≤ 1/8. All of it is sums and
products of matrices, and exponentials of numbers.
"""

from math import factorial, log
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from gdssm.curvature import power_norm
from gdssm.prior import DOUBLINGS, SMALLEST_BOUND

HALVINGS = 24
"""The first time is 2^−24."""
POWERS = 5
"""Of G, that the series for times up to ½ takes: what is left out is (1/16)⁵/6! of the first."""
# Tensors and not numbers of Python, which the exporter writes in single precision.
SERIES = torch.tensor([(-1) ** j / factorial(j + 1) for j in range(2 * POWERS - 2)], dtype=torch.float64)
"""Q(1) as a sum of G⁰ … G⁷."""
EARLY = 2.0 ** torch.arange(-HALVINGS, 0, dtype=torch.float64)
LATE = 2.0 ** torch.arange(DOUBLINGS + 1, dtype=torch.float64)
EARLY_SOLUTION = torch.stack([EARLY ** (j + 1) * (-1) ** j / factorial(j + 1) for j in range(POWERS)], 1)
"""Q(t) at the early times as a sum of G⁰ … G⁴, (T, 5)."""
EARLY_TRACE = log(2.0) * torch.stack(
    [0 * EARLY, *(-(EARLY**j) * (-1) ** j / factorial(j) for j in range(1, POWERS))], 1
)
"""log 2 · tr(I − e^{−Gt}) at the early times as a sum of the traces of G¹ … G⁴; 0 for the first, (T, 5)."""
LATE_TRACE = torch.full_like(LATE, log(2.0))


class Path(NamedTuple):
    """Gradient flow: J matrices whose weighted sums are (G + aI)⁻¹, its products with c, and log det(I + G/a)."""

    unit: Float[Tensor, "B 1"]
    """Rates are given, and inverses are read, in this unit of G."""
    inverses: Float[Tensor, "B J D*D"]
    """G⁰ … G⁴, and Q at the times 1, 2, 4, …."""
    solutions: Float[Tensor, "B J D*K"]
    """Their products with c."""
    traces: Float[Tensor, "B J 1"]
    """The traces of G¹ … G⁴ (0 before them), and tr(I − e^{−Gt}) at these times."""


def follow(gram: Float[Tensor, "B D D"], cross: Float[Tensor, "B D K"]) -> Path:
    """Follow gradient flow from zero.

    Args:
        gram: G, positive semi-definite with no diagonal entry above 1 (B, D, D).
        cross: c (B, D, K).
    """
    unit = 8.0 * power_norm(gram).clamp(min=SMALLEST_BOUND)[:, None]
    first = gram / unit[..., None]
    place = torch.arange(gram.shape[-1], device=gram.device)
    identity = (place[:, None] == place).to(gram.dtype) + torch.zeros_like(gram)
    powers = [identity, first]
    for _ in range(2, POWERS):
        powers.append(powers[-1] @ first)
    inverse = _series(powers[:-1], 0) + powers[-1] @ _series(powers[:-1], POWERS - 1)
    remainder = identity - first @ inverse
    solution = inverse @ cross
    inverses, solutions = [*powers, inverse], [*(power @ cross for power in powers), solution]
    size, traces, norms = _sum(identity), [_sum(power * identity) for power in (*powers[1:], remainder)], []
    for _ in range(DOUBLINGS):
        # The solutions are not read from the inverses, which cost as much as all the rest, and need not be there.
        solution, inverse = solution + remainder @ solution, inverse + remainder @ inverse
        solutions.append(solution)
        inverses.append(inverse)
        norms.append(torch.linalg.vector_norm(remainder, dim=(1, 2), keepdim=True))
        remainder = remainder @ remainder
    shape = gram.shape[0], len(inverses), -1
    left = torch.cat([traces.pop(), torch.cat(norms, 1).square()], 1)  # the trace of a square is a norm, squared
    return Path(
        unit,
        torch.cat(inverses, 1).reshape(shape),
        torch.cat(solutions, 1).reshape(shape),
        torch.cat([0.0 * size, *traces, size - left], 1),
    )


def _sum(matrix: Float[Tensor, "B D D"]) -> Float[Tensor, "B 1 1"]:
    return matrix.sum((1, 2), keepdim=True)


def _series(powers: list[Tensor], start: int) -> Tensor:
    """Sum (−1)^j G^(j − start)/(j + 1)! over j from `start`, as many terms as there are powers: Q(1) if all were."""
    total = torch.zeros_like(powers[0])
    for power, factor in zip(powers, SERIES[start:], strict=False):
        total = total + factor * power
    return total


def ridge_weights(rate: Float[Tensor, "B S"]) -> Float[Tensor, "B S J"]:
    """Weigh the path so that the sum of its `inverses` is (G + aI)⁻¹, and that of its `solutions` (G + aI)⁻¹ c.

    Args:
        rate: a in the path's unit, at least `LOWEST_RATE` (B, S).
    """
    early, late = _at_times(rate)
    early, late = early * rate[..., None] * EARLY, late * rate[..., None] * LATE
    # The rule's own error for a constant is known: its sum is taken as one.
    total = early.sum(-1, keepdim=True) + late.sum(-1, keepdim=True)
    return torch.cat([early @ EARLY_SOLUTION, late], -1) / total


def log_determinant_weights(rate: Float[Tensor, "B S"]) -> Float[Tensor, "B S J"]:
    """Weigh the path so that the sum of its `traces` is log det(I + G/a); see `ridge_weights`."""
    early, late = _at_times(rate)
    # log 2 is in the tables: onnxruntime 1.31 would fuse it into the next product, in single precision.
    return torch.cat([early @ EARLY_TRACE, late * LATE_TRACE], -1)


def _at_times(rate: Float[Tensor, "B S"]) -> tuple[Float[Tensor, "B S T_early"], Float[Tensor, "B S T_late"]]:
    """e^{−a t} at the times below one, and at those from one on."""
    return torch.exp(-rate[..., None] * EARLY), torch.exp(-rate[..., None] * LATE)
