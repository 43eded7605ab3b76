"""The output gate: the state multiplied with the gated window.

The window X (3 × F) is reduced to one query token q = Xᵀ p (p = e₃ picks x_{i+1}); the output is Zᵀ q. (arXiv
2410.11687: v1 (C Z)(Xᵀ D), v2 "output gating", v3 "multiplicative readout".)
"""

from torch import Tensor, nn

from gdssm.notation import GatedProduct, Window


class OutputGate(nn.Module):
    """Zᵀ Xᵀ p with a learnable query weight p (3,)."""

    def __init__(self, query_weight: Tensor) -> None:
        super().__init__()
        self.query_weight = nn.Parameter(query_weight)

    def query(self, window: Window) -> Tensor:
        """Reduce a window (*B, 3, F) to the query token (*B, F)."""
        return self.query_weight @ window

    def forward(self, state: GatedProduct, query: Tensor) -> Tensor:
        """Multiply the state (*B, F, F) with the query token (*B, F); returns (*B, F)."""
        return (query[..., None, :] @ state)[..., 0, :]
