"""The sequence x₁, y₁, x₂, y₂, …, x_N, y_N, x_query as tokens of one width.

A token has F = D + K features: x in the first D, y in the last K, zeros elsewhere. So products of tokens have x xᵀ, x
yᵀ and y yᵀ as blocks of one F × F matrix, for any D and K.
"""

import torch
from torch import Tensor

from gdssm.notation import Inputs, Outputs, Queries, Tokens


def embed(x: Inputs, y: Outputs) -> tuple[Tensor, Tensor]:
    """Pad x and y to tokens (B, N, F)."""
    return torch.cat([x, torch.zeros_like(y)], -1), torch.cat([torch.zeros_like(x), y], -1)


def embed_query(x_query: Queries, outputs: int) -> Tensor:
    """Pad x_query (B, M, D) to tokens (B, M, D + outputs)."""
    return torch.nn.functional.pad(x_query, (0, outputs))


def interleave(x: Inputs, y: Outputs, x_query: Queries) -> Tokens:
    """Interleave a context and one query to a sequence (B, 2N + 1, F)."""
    pairs = torch.stack(embed(x, y), dim=2).flatten(1, 2)
    return torch.cat([pairs, embed_query(x_query, y.shape[-1])], dim=1)
