"""The literal definition: autograd gradient steps on torch.nn.Linear, and plain loops; for tests and experiments."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn


def gradient_descent(
    x: Tensor, y: Tensor, x_query: Tensor, learning_rates: Sequence[float], initial_weight: Tensor
) -> Tensor:
    """Fit one context (N, D), (N, K) by gradient steps, one for each rate, from W₀ (D, K); predict (M, K)."""
    return stochastic_gradient_descent([(x, y)] * len(learning_rates), x_query, learning_rates, initial_weight)


def stochastic_gradient_descent(
    batches: Iterable[tuple[Tensor, Tensor]], x_query: Tensor, learning_rates: Sequence[float], initial_weight: Tensor
) -> Tensor:
    """Take one step of ½·mean‖y − Wᵀx‖² per batch (N, D), (N, K), each with its rate; returns (M, K)."""
    inputs, outputs = initial_weight.shape
    linear = nn.Linear(inputs, outputs, bias=False, dtype=initial_weight.dtype)
    with torch.no_grad():
        linear.weight.copy_(initial_weight.mT)
    for (x, y), learning_rate in zip(batches, learning_rates, strict=True):
        loss = 0.5 * (y - linear(x)).square().sum(-1).mean()
        (gradient,) = torch.autograd.grad(loss, linear.weight)
        with torch.no_grad():
            linear.weight -= learning_rate * gradient
    prediction: Tensor = linear(x_query)
    return prediction.detach()


def ridge_by_stopped_descent(gram: Tensor, cross: Tensor, strength: float, step: float) -> Tensor:
    """Average gradient descent on ½·wᵀGw − cᵀw from w = 0 over when it stops, which is ridge regression: (G + aI)⁻¹c.

    Before each step of length η it stops with probability ρ = aη/(1 + aη): after t steps with probability ρ(1 − ρ)^t,
    at w = (I − Mᵗ)G⁻¹c with M = I − ηG. As ρ/(1 − ρ) = aη, the average of Mᵗ is ρ(I − (1 − ρ)M)⁻¹ = a(G + aI)⁻¹, and
    that of w is (I − a(G + aI)⁻¹)G⁻¹c = (G + aI)⁻¹c, for steps of any length below 2/λ_max.
    """
    stop = strength * step / (1.0 + strength * step)
    weight, average, going = torch.zeros_like(cross), torch.zeros_like(cross), 1.0
    while going > torch.finfo(cross.dtype).eps:
        average = average + going * stop * weight
        going *= 1.0 - stop
        weight = weight + step * (cross - gram @ weight)
    return average + going * weight


def recurrence(decay: Tensor, update: Tensor, state: Tensor) -> Tensor:
    """z_i = a_i ⊙ z_{i−1} + u_i, one after the other: (B, N, …) from updates (B, N, …) and a state (B, …)."""
    states = []
    for a, u in zip(decay.unbind(1), update.unbind(1), strict=True):
        state = a * state + u
        states.append(state)
    return torch.stack(states, dim=1)


def cross_entropy_descent(
    x: Tensor,
    y: Tensor,
    x_query: Tensor,
    learning_rates: Sequence[float],
    initial_weight: Tensor,
    *,
    weight: Tensor,
) -> Tensor:
    """Fit one context by full-batch steps on Σ wᵢ·cross-entropy(yᵢ, Wᵀxᵢ) / Σ wᵢ; returns probabilities (M, K)."""
    classifier = initial_weight.clone().requires_grad_()
    for learning_rate in learning_rates:
        loss = (weight * nn.functional.cross_entropy(x @ classifier, y, reduction="none")).sum() / weight.sum()
        (gradient,) = torch.autograd.grad(loss, classifier)
        with torch.no_grad():
            classifier -= learning_rate * gradient
    return torch.softmax(x_query @ classifier, -1).detach()


def descent_by_position(
    query: Tensor, key: Tensor, value: Tensor, strength: Tensor, *, decay: Tensor, shares: Sequence[float]
) -> Tensor:
    """Descend on ½·Σ_s β_s (λ_{s+1} ⋯ λ_t) ‖v_s − Wᵀk_s‖² from W = 0 at every position t of one head; predict W_tᵀq_t.

    Args:
        query: q (T, D).
        key: k (T, D).
        value: v (T, E).
        strength: β (T).
        decay: λ (T).
        shares: Rates of the steps, times the Frobenius norm of the Hessian.
    """
    outputs = []
    for t in range(len(query)):
        weight = strength[: t + 1] * torch.stack([decay[s + 1 : t + 1].prod() for s in range(t + 1)])
        norm = (weight[:, None, None] * key[: t + 1, :, None] * key[: t + 1, None, :]).sum(0).norm()
        matrix = query.new_zeros(key.shape[1], value.shape[1], requires_grad=True)
        for share in shares:
            loss = 0.5 * (weight[:, None] * (value[: t + 1] - key[: t + 1] @ matrix).square()).sum()
            (gradient,) = torch.autograd.grad(loss, matrix)
            with torch.no_grad():
                matrix -= share / norm * gradient
        outputs.append(query[t] @ matrix.detach())
    return torch.stack(outputs)
