"""The sequence x₁, y₁, x₂, y₂, …, x_N, y_N, x_query as tokens of one width.

x and y share a token's F = D + K features: x stands in the first D, y in the last K, zeros elsewhere. So products
of tokens keep x xᵀ, x yᵀ and y yᵀ apart as blocks of one F × F matrix, for any D and K.
"""

import torch
from torch import Tensor

from gdssm.notation import Inputs, Outputs, Queries, Tokens


def embed(x: Inputs, y: Outputs) -> tuple[Tensor, Tensor]:
    """Widen x and y to tokens.

    Args:
        x: Inputs (B, N, D).
        y: Outputs (B, N, K).

    Returns:
        x in the first D features (B, N, D + K) and y in the last K (B, N, D + K).
    """
    return torch.cat([x, torch.zeros_like(y)], -1), torch.cat([torch.zeros_like(x), y], -1)


def embed_query(x_query: Queries, outputs: int) -> Tensor:
    """Widen x_query (B, M, D) to tokens (B, M, D + outputs)."""
    return torch.nn.functional.pad(x_query, (0, outputs))


def interleave(x: Inputs, y: Outputs, x_query: Queries) -> Tokens:
    """Lay a context and one query out as the sequence that the layer reads.

    Args:
        x: Inputs (B, N, D).
        y: Outputs (B, N, K).
        x_query: The query (B, 1, D) that ends the sequence.

    Returns:
        Tokens (B, 2N + 1, D + K).
    """
    pairs = torch.stack(embed(x, y), dim=2).flatten(1, 2)
    return torch.cat([pairs, embed_query(x_query, y.shape[-1])], dim=1)


def multiply(x: Inputs, y: Outputs, x_query: Queries) -> Tensor:
    """Lay a context out as constructed tokens [x_i·y_i, x_{i+1}], for scalar y.

    Args:
        x: Inputs (B, N, D).
        y: Outputs (B, N, 1).
        x_query: The query (B, 1, D).

    Returns:
        (B, N, 2D).
    """
    return torch.cat([x * y, torch.cat([x[:, 1:], x_query], dim=1)], dim=-1)
