import pytest
import torch

from gdssm.curvature import largest_eigenvalue_bound
from tests.closeness import assert_close


def gram(inputs: int, observations: int) -> torch.Tensor:
    x = torch.randn(3, observations, inputs, dtype=torch.float64, generator=torch.Generator().manual_seed(inputs))
    return x.mT @ x / observations


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize(("inputs", "observations"), [(1, 1), (2, 50), (10, 7), (10, 1000), (100, 30), (300, 1000)])
def test_it_is_never_below_the_largest_eigenvalue_and_close_above(inputs: int, observations: int, scale: float) -> None:
    matrix = gram(inputs, observations) * scale
    largest = torch.linalg.eigvalsh(matrix)[:, -1]
    ratio = largest_eigenvalue_bound(matrix) / largest
    assert (ratio >= 1 - 1e-12).all()
    assert (ratio <= inputs ** (1 / 32) + 1e-12).all()


def test_equal_eigenvalues_are_its_worst_case() -> None:
    bound = largest_eigenvalue_bound(torch.eye(10, dtype=torch.float64))
    assert_close(bound, torch.tensor(10 ** (1 / 32), dtype=torch.float64), "bound")


def test_a_zero_matrix_has_bound_zero() -> None:
    assert largest_eigenvalue_bound(torch.zeros(2, 3, 3)).tolist() == [0.0, 0.0]
