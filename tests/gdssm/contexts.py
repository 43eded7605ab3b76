"""Random contexts of distinct, co-prime sizes: a swapped axis or a wrong normaliser must fail."""

import torch
from torch import Tensor

B, N, M, D, K = 2, 7, 4, 5, 3


def context(
    observations: int = N, queries: int = M, inputs: int = D, outputs: int = K, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw x (B, N, D), y (B, N, K) and x_query (B, M, D)."""
    generator = torch.Generator().manual_seed(observations)
    sizes = (observations, inputs), (observations, outputs), (queries, inputs)
    x, y, x_query = (torch.randn(B, *size, dtype=torch.float64, generator=generator).to(dtype) for size in sizes)
    return x, y, x_query


def initial_weight(inputs: int = D, outputs: int = K, dtype: torch.dtype = torch.float64) -> Tensor:
    """Draw W₀ (D, K)."""
    return torch.randn(inputs, outputs, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(dtype)


def ones(x: Tensor) -> Tensor:
    """Weigh every observation of x (B, N, D) with 1."""
    return x.new_ones(x.shape[:2])
