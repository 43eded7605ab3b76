"""The multiplicative input gate: the windowed bilinear product that makes x_i y_iᵀ.

With a pair weight P (3 × 3) the window X (3 × F) becomes Xᵀ P X = Σ_ab P_ab X_a X_bᵀ. P = e₁e₂ᵀ gives x_i y_iᵀ, the
gradient of one observation at W₀ = 0. (arXiv 2410.11687: v1 Xᵀ W X, v2 "input gating", v3 "cross-product".)
"""

from torch import Tensor, nn

from gdssm.notation import GatedProduct, Window


class InputGate(nn.Module):
    """Xᵀ P X with a learnable pair weight P (3, 3)."""

    def __init__(self, pair_weight: Tensor) -> None:
        super().__init__()
        self.pair_weight = nn.Parameter(pair_weight)

    def forward(self, window: Window) -> GatedProduct:
        """Return Xᵀ P X for each window."""
        return window.mT @ self.mix(window)

    def mix(self, window: Window) -> Window:
        """Return P X for each window, by one product for all windows, which is faster than one for each."""
        columns = window.mT
        mixed = columns.flatten(0, -2) @ self.pair_weight.mT
        return mixed.reshape(columns.shape).mT
