"""One run of descent gives ridge regression and its log determinant at every strength."""

import pytest
import torch
from torch import Tensor

from gdssm.descent_integral import Path, follow, log_determinant_weights, null_weights, ridge_weights
from gdssm.quadrature import DOUBLINGS, LOWEST_RATE, POWERS
from gdssm.reference import ridge_by_stopped_descent
from tests.closeness import assert_close
from tests.nonempty import nonempty

B, N, D, K, S = 2, 101, 5, 3, 11
FLOW = 1e-8
"""Of Q(t), relative to its largest entry: rounding, which every doubling of the time doubles."""
INVERSE = 1e-9
"""Of (G + aI)⁻¹, relative to its largest entry."""
LOG_DETERMINANT = 1e-9
WITHIN = 30 / 2.0**DOUBLINGS
"""A rate at which all of the average is on the path."""
"""Of log det(I + G/a), for each eigenvalue."""
SPECTRA = {
    "well conditioned": torch.tensor([0.3, 0.25, 0.2, 0.15, 0.1]),
    "ill conditioned": torch.tensor([0.9, 0.09, 1e-3, 1e-5, 1e-8]),
    "of rank one": torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0]),
    "zero": torch.zeros(5),
}
spectra = pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA.keys())


def matrices(spectrum: Tensor) -> tuple[Tensor, Tensor]:
    """Draw G (B, D, D) with these eigenvalues, times 1 and times a third, and c (B, D, K) in its range."""
    generator = torch.Generator().manual_seed(D)
    basis = torch.linalg.qr(torch.randn(B, D, D, dtype=torch.float64, generator=generator))[0]
    values = spectrum.double() * torch.tensor([[1.0], [1 / 3]], dtype=torch.float64)
    gram = basis @ torch.diag_embed(values) @ basis.mT
    cross = basis @ (values.sqrt()[..., None] * torch.randn(B, D, K, dtype=torch.float64, generator=generator))
    return gram, cross


def rates(path: Path, lowest: float = LOWEST_RATE) -> Tensor:
    """Spread S strengths from the lowest up to 100 times λ_max, in the unit of the path (B, S)."""
    exponents = torch.linspace(0, 1, S, dtype=torch.float64)
    return (lowest * (10.0 / lowest) ** exponents).expand(len(path.unit), S)


@spectra
def test_the_path_is_gradient_flow(spectrum: Tensor) -> None:
    gram, cross = matrices(spectrum)
    path = follow(gram, cross)
    for place, time in nonempty(enumerate(2.0 ** (0.5 * torch.arange(2 * DOUBLINGS + 2).double()), start=POWERS)):
        values, vectors = torch.linalg.eigh(gram / path.unit[..., None])
        decayed = -torch.expm1(-values.clamp(min=0) * time)
        flow = vectors @ torch.diag_embed(torch.where(values > 1e-15, decayed / values, time)) @ vectors.mT
        assert_close(path.inverses[:, place].reshape(B, D, D), flow, f"Q({time:g})", rtol=FLOW)
        assert_close(path.solutions[:, place].reshape(B, D, K), flow @ cross, f"Q({time:g})c", rtol=FLOW)
        trace = decayed.sum(-1, keepdim=True)
        assert ((path.traces[:, place] - trace).abs() <= D * FLOW).all()


@spectra
def test_its_weighted_sums_are_the_inverses_at_every_strength(spectrum: Tensor) -> None:
    gram, cross = matrices(spectrum)
    path = follow(gram, cross)
    rate = rates(path, WITHIN)
    inverses = (ridge_weights(rate) @ path.inverses / path.unit[..., None]).reshape(B, S, D, D)
    solutions = (ridge_weights(rate) @ path.solutions / path.unit[..., None]).reshape(B, S, D, K)
    for b in range(B):
        for s in range(S):
            strength = rate[b, s] * path.unit[b]
            expected = torch.linalg.inv(gram[b] + strength * torch.eye(D, dtype=torch.float64))
            assert_close(inverses[b, s], expected, f"inverse at {strength.item():.2g}", rtol=INVERSE)
            assert_close(solutions[b, s], expected @ cross[b], f"solution at {strength.item():.2g}", rtol=INVERSE)


@spectra
def test_its_weighted_traces_are_the_log_determinant_at_every_strength(spectrum: Tensor) -> None:
    gram, cross = matrices(spectrum)
    path = follow(gram, cross)
    rate = rates(path, WITHIN)
    log_determinant = (log_determinant_weights(rate) @ path.traces)[..., 0]
    identity = torch.eye(D, dtype=torch.float64)
    for b in range(B):
        for s in range(S):
            expected = torch.logdet(identity + gram[b] / (rate[b, s] * path.unit[b]))
            assert abs(log_determinant[b, s] - expected) <= D * LOG_DETERMINANT


@pytest.mark.parametrize("observed", [1, 3, 5])
def test_beyond_the_path_the_flow_is_constant_or_unobserved(observed: int) -> None:
    """With eigenvalues of 4e-5 and more, and of 0, strengths 1e-12 of the largest one are exact too."""
    values = torch.where(torch.arange(D) < observed, 10.0 ** (-1.1 * torch.arange(D)), 0.0).double()
    path = follow(torch.diag(values).expand(B, D, D), torch.diag(values).expand(B, D, D))
    rate = rates(path)
    weights = ridge_weights(rate)
    flow = (weights @ path.inverses).reshape(B, S, D, D)
    left = null_weights(rate, weights)[..., None, None] * path.unobserved.reshape(B, 1, D, D)
    strength = rate[..., None] * path.unit[..., None]
    found = (flow + left).diagonal(dim1=-2, dim2=-1) / path.unit[..., None]
    assert ((found * (values + strength) - 1).abs() < 1e-7).all()
    determinant = (log_determinant_weights(rate) @ path.traces)[..., 0]
    assert ((determinant - torch.log1p(values / strength).sum(-1)).abs() < D * LOG_DETERMINANT).all()


@pytest.mark.parametrize("strength", [1.0, 0.1, 0.01])
@pytest.mark.parametrize("step", [1.9, 1.0, 0.1])
def test_descent_stopped_at_geometrically_distributed_times_is_ridge_regression(step: float, strength: float) -> None:
    gram, cross = matrices(SPECTRA["well conditioned"])
    path = follow(gram, cross)
    for b in range(B):
        length = step / torch.linalg.eigvalsh(gram[b])[-1].item()
        literal = ridge_by_stopped_descent(gram[b], cross[b], strength, length)
        exact = torch.linalg.solve(gram[b] + strength * torch.eye(D, dtype=torch.float64), cross[b])
        assert_close(literal, exact, "average of descent")
        rate = strength / path.unit[b : b + 1]
        ours = (ridge_weights(rate) @ path.solutions[b : b + 1]).reshape(D, K) / path.unit[b]
        assert_close(ours, literal, "solution", rtol=INVERSE)


@pytest.mark.parametrize("strength", [1.0, 0.1, 0.01])
def test_residuals_removed_by_descent_sum_to_the_log_determinant(strength: float) -> None:
    gram, cross = matrices(SPECTRA["well conditioned"])
    path = follow(gram, cross)
    for b in range(B):
        step = 1.0 / torch.linalg.eigvalsh(gram[b])[-1].item()
        going, total, residual, time = 1.0, 0.0, torch.eye(D, dtype=torch.float64), 0
        while going > 1e-17:
            time += 1
            going /= 1.0 + strength * step
            residual = residual - step * gram[b] @ residual
            total += going / time * (D - residual.trace().item())
        exact = torch.logdet(torch.eye(D, dtype=torch.float64) + gram[b] / strength)
        assert abs(total - exact) < 1e-12
        ours = log_determinant_weights(strength / path.unit[b : b + 1]) @ path.traces[b : b + 1]
        assert abs(ours.item() - total) <= D * LOG_DETERMINANT


def test_contexts_do_not_touch_each_other() -> None:
    gram, cross = matrices(SPECTRA["ill conditioned"])
    together = follow(gram, cross)
    for b in range(B):
        alone = follow(gram[b : b + 1], cross[b : b + 1])
        for name, ours, own in zip(Path._fields, together, alone, strict=True):
            assert_close(ours[b : b + 1], own, name)
