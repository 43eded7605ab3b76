"""A diagonal recurrence for order, which a sum over keys and values does not have."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from gdssm import recurrence


class DiagonalPath(nn.Module):
    """h_t = a_t ⊙ h_{t−1} + (1 − a_t) ⊙ u_t, with a_t in (0, 1) and u_t from the input.

    Args:
        width: H, features of the input and of h.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = nn.Linear(width, 2 * width)
        with torch.no_grad():
            self.enter.bias[width:] = torch.linspace(0.0, 5.0, width)

    def forward(
        self,
        positions: Float[Tensor, "B T H"],
        state: Float[Tensor, "B H"],
        begins: Bool[Tensor, "B T"],
        weight: Float[Tensor, "B T"] | None = None,
    ) -> tuple[Float[Tensor, "B T H"], Float[Tensor, "B H"]]:
        """Return h at every position, and the last one.

        Args:
            positions: A sequence.
            state: h before it.
            begins: Where another sequence begins.
            weight: Positions of weight 0 leave h unchanged.
        """
        update, decay = self.enter(positions).to(state.dtype).chunk(2, -1)
        decay = decay.sigmoid()
        if weight is not None:
            decay = torch.where((weight == 0)[..., None], 1.0, decay)
        states = recurrence.scan(decay * ~begins[..., None], (1.0 - decay) * update, state)
        return states.to(positions.dtype), states[:, -1] if states.shape[1] else state
