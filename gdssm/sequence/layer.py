"""One causal layer: what a sequence writes, and K gradient steps on it at every position."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gdssm.sequence import descent
from gdssm.sequence.descent import HeadInputs, HeadState
from gdssm.sequence.diagonal import DiagonalPath
from gdssm.sequence.window import CausalWindow


@dataclass(frozen=True)
class SequenceConfig:
    """Sizes and options of a layer."""

    width: int
    """H."""
    heads: int = 2
    window: int = 3
    """W, positions that keys, values and queries are formed of."""
    steps: int = 1
    """Gradient steps, K in the equations."""
    diagonal: bool = False
    """Whether a diagonal recurrence is added."""
    chunk: int = 64
    """Positions without states between them."""

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width is {self.width}, which is no multiple of {self.heads} heads.")
        if min(self.heads, self.window, self.steps, self.chunk) < 1:
            raise ValueError(f"heads, window, steps and chunk must be 1 or more; this is {self}.")


class LayerState(NamedTuple):
    """The past of a layer in constant memory, float32 or better."""

    moments: HeadState
    window: Float[Tensor, "B P F"]
    """The last W − 1 projections."""
    diagonal: Float[Tensor, "B S"]
    """h of the diagonal path; S is 0 without it."""
    segment: Int[Tensor, " B"]
    """The segment of the last position."""


class SequenceLayer(nn.Module):
    """Projections, window, gates, K gradient steps, norm and output gate.

    Before training a key is that of the position before, as x_i is to y_i in the window (x_i, y_i, x_{i+1}), and every
    step after the first is a quarter as long.

    Segments are one integer a position. Wherever it changes, another sequence begins: a row may hold several sequences,
    and padding is one of them (segment 0, for example). The state after a row is that of its last segment, so pad on
    the left if you need it.

    Args:
        config: Sizes and options.
    """

    def __init__(self, config: SequenceConfig) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        self.config = config
        self.enter = nn.Linear(width, 3 * width, bias=False)
        self.window = CausalWindow(3 * width, config.window, previous=slice(width, 2 * width))
        self.write = nn.Linear(width, 2 * heads)
        self.share_logit = nn.Parameter(torch.full((config.steps, heads), -2.0))
        self.norm = nn.RMSNorm(width // heads, eps=1e-5)
        self.diagonal = DiagonalPath(width) if config.diagonal else None
        self.gate = nn.Linear(width, width)
        self.leave = nn.Linear(width, width, bias=False)
        with torch.no_grad():
            self.share_logit[0] = 0.0
            self.write.bias[heads:] = torch.linspace(3.0, 7.0, heads)

    def empty_state(self, batch: int) -> LayerState:
        """Return the state before any position, of segment 1."""
        config, weight = self.config, self.leave.weight
        size = config.width // config.heads
        dtype = torch.promote_types(weight.dtype, torch.float32)
        zeros = weight.new_zeros(batch, config.heads, size, size, dtype=dtype)
        past = zeros.new_zeros(batch, config.window - 1, 3 * config.width)
        diagonal = zeros.new_zeros(batch, config.width if config.diagonal else 0)
        return LayerState(HeadState(zeros, zeros), past, diagonal, zeros.new_ones(batch, dtype=torch.long))

    def forward(
        self, positions: Float[Tensor, "B T H"], segments: Int[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T H"]:
        """Map a sequence from the empty state."""
        return self.scan(positions, self.empty_state(len(positions)), segments)[0]

    def scan(
        self, positions: Float[Tensor, "B T H"], state: LayerState, segments: Int[Tensor, "B T"] | None = None
    ) -> tuple[Float[Tensor, "B T H"], LayerState]:
        """Map further positions, one or more; without `segments` they continue that of the state."""
        if segments is None:
            segments = state.segment[:, None].expand(positions.shape[:2])
        begins = segments != torch.cat([state.segment[:, None], segments[:, :-1]], 1)
        run = begins.cumsum(1)
        windowed, past = self.window(self.enter(positions), state.window, run)
        output, moments = self._descend(windowed, self.write(positions), state.moments, run)
        mixed = self.norm(output.to(positions.dtype)).transpose(1, 2).flatten(2)
        diagonal = state.diagonal
        if self.diagonal is not None:
            ordered, diagonal = self.diagonal(positions, diagonal, begins)
            mixed = mixed + ordered
        answer = self.leave(mixed * self.gate(positions).sigmoid())
        return answer, LayerState(moments, past, diagonal, segments[:, -1])

    def _descend(self, windowed: Tensor, write: Tensor, state: HeadState, run: Tensor) -> tuple[Tensor, HeadState]:
        dtype, by_head = state.gram.dtype, (*windowed.shape[:2], self.config.heads, -1)
        query, key, value = (part.reshape(by_head).transpose(1, 2) for part in windowed.to(dtype).chunk(3, -1))
        query, key = (nn.functional.normalize(part, dim=-1) for part in (query, key))
        strength, decay = write.to(dtype).mT.chunk(2, 1)
        inputs = HeadInputs(query, key, value, strength.sigmoid(), nn.functional.logsigmoid(decay))
        shares = 2.0 * self.share_logit.to(dtype).sigmoid()
        with torch.autocast(windowed.device.type, enabled=False):
            return descent.scan(inputs, shares, state, run, self.config.chunk)
