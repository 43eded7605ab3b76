"""The causal window, sliding by one position: every feature is a weighted sum of its last W values."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class CausalWindow(nn.Module):
    """A learnt window. It begins as one position, with small random weights of the others.

    Args:
        features: Of a position.
        width: W; 1 sees the present position alone.
        previous: Features that begin as those of the position before, if W is 2 or more; the others as the present.
    """

    def __init__(self, features: int, width: int, previous: slice) -> None:
        super().__init__()
        weight = torch.empty(width, features).uniform_(-1.0, 1.0) / width
        weight[0] = 1.0
        weight[:, previous] = weight[:, previous].roll(1, 0)
        self.weight = nn.Parameter(weight)

    def forward(
        self,
        positions: Float[Tensor, "B T F"],
        past: Float[Tensor, "B P F"],
        run: Int[Tensor, "B T"],
        length: Int[Tensor, " B"] | None = None,
    ) -> tuple[Float[Tensor, "B T F"], Float[Tensor, "B P F"]]:
        """Return the sums, and the past of the next position; no window reaches into another run.

        Args:
            positions: A sequence.
            past: The P = W − 1 positions before it, zero where there are none.
            run: As of `descent.scan`.
            length: Positions that belong to the past of the next one, the first ones of a single run; all if left out.
        """
        count, reach = positions.shape[1], past.shape[1]
        known = torch.cat([past.to(positions.dtype), positions], 1)
        runs = nn.functional.pad(run, (reach, 0))
        total = self.weight[0] * positions
        for lag, weight in enumerate(self.weight[1:], 1):
            seen = slice(reach - lag, reach - lag + count)
            total = total + torch.where((runs[:, seen] == run)[..., None], weight, 0.0) * known[:, seen]
        if length is None:
            kept = torch.where((runs[:, count:] == run[:, -1:])[..., None], known[:, count:], 0.0)
        else:
            places = length[:, None] + torch.arange(reach, device=length.device)
            kept = known.gather(1, places[..., None].expand(-1, -1, known.shape[-1]))
        return total, kept.to(past.dtype)
