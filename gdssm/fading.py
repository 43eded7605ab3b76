"""The fading sum Z = Σ_i Λ^{N−i} ⊙ X_iᵀ P X_i over a whole sequence as it acts on a vector, Zᵀ r: no state is made.

The window (x_i, y_i, x_{i+1}) is of two neighbouring pairs z_i = (x_i, y_i), so no window is made either. Λ^{N−i} is
the same for every context, so at each i one matrix product serves the whole batch: nearly all arithmetic is there. What
is left for each element is two products and two sums, as P and r come in outside of the sum over i.

Time is the first axis here and the batch the last: each position is one matrix in memory, and long rows suit it best.
"""

from itertools import product
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gdssm.notation import Inputs, Outputs, Queries
from gdssm.window import NEXT_X, X, Y


class FadingSum:
    """A batch of sequences, and how they fade.

    Args:
        decay_logit: The logit of Λ (F, F).
        pair_weight: P (3, 3).
        x: (B, N, D).
        y: (B, N, K).
        x_query: (B, 1, D).
    """

    def __init__(self, decay_logit: Tensor, pair_weight: Tensor, x: Inputs, y: Outputs, x_query: Queries) -> None:
        self.pair_weight = pair_weight
        self.fade = fade(decay_logit, x.shape[1])
        self.x = torch.cat([x, x_query], dim=1).permute(1, 2, 0).contiguous()
        self.y = y.permute(1, 2, 0).contiguous()
        self.pairs = torch.cat([self.x, nn.functional.pad(self.y, (0, 0, 0, 0, 0, 1))], dim=1)

    def __call__(self, vector: Float[Tensor, "B 1 F"]) -> Float[Tensor, "B 1 F"]:
        """Multiply: Zᵀ r for one vector r of each context."""
        sizes = [self.x.shape[1], self.y.shape[1]]
        parts = zip(
            torch.split(self.fade, sizes, 1),
            (self.x, self.y),
            torch.split(vector[:, 0].mT.contiguous(), sizes),
            strict=True,
        )
        of_x, of_y = (_Products.apply(fade, part * weight, self.pairs) for fade, part, weight in parts)  # type: ignore[no-untyped-call]
        by_place = torch.cat([of_x[:1], of_y, of_x[1:]])
        at_inputs, at_outputs = torch.split(by_place, sizes, 2)
        sums = (
            torch.tensordot(self.pair_weight[:, X::NEXT_X], at_inputs, 2),
            torch.tensordot(self.pair_weight[:, Y], at_outputs[:, 0], 1),
        )
        return torch.cat(sums).mT[:, None]


def fade(decay_logit: Tensor, length: int) -> Float[Tensor, "N F F"]:
    """Raise Λ to the age of every position, N − 1 … 0."""
    age = torch.arange(length - 1, -1, -1, dtype=decay_logit.dtype, device=decay_logit.device)
    return torch.exp(age[:, None, None] * nn.functional.logsigmoid(decay_logit))


class _Products(torch.autograd.Function):
    """Σ_i (l_{i+a} Λ^{N−i}) ⊙ r_{i+c} for the window's places a and c = 0, 1: (A, 2, F, B).

    fade (N, E, F), left (N + A − 1, E, B) with A = 1 or 2, right (N + 1, F, B).
    """

    @staticmethod
    def forward(ctx: Any, fade: Tensor, left: Tensor, right: Tensor) -> Tensor:  # noqa: ANN401  (torch's own)
        length = len(fade)
        faded = [fade.mT @ left[a : a + length] for a in range(len(left) - length + 1)]
        ctx.save_for_backward(fade, left, right, *(faded if ctx.needs_input_grad[2] else ()))
        products = right.new_empty(len(faded), 2, *right.shape[1:])
        for a, c in product(range(len(faded)), (0, 1)):
            torch.sum(faded[a] * right[c : c + length], 0, out=products[a, c])
        return products

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:  # noqa: ANN401
        fade, left, right, *faded = ctx.saved_tensors
        length = len(fade)
        to_fade, to_left = torch.zeros_like(fade), torch.zeros_like(left)
        to_right = torch.zeros_like(right) if faded else None
        for a, (at_now, at_next) in enumerate(gradient):
            weighed = torch.addcmul(right[:-1] * at_now, right[1:], at_next)
            to_fade.baddbmm_(left[a : a + length], weighed.mT)
            to_left[a : a + length].baddbmm_(fade, weighed)
            if to_right is not None:
                to_right[:-1].addcmul_(faded[a], at_now)
                to_right[1:].addcmul_(faded[a], at_next)
        return to_fade, to_left, to_right
