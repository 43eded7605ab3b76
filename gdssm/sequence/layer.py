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

KEY_WIDTH = 16
"""Least features of a key, where the layer is as wide: descent separates at most as many keys as they have features."""


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
    key_width: int = 0
    """Features of a key and a query of a head; 0 for those of a value, at least `KEY_WIDTH`."""

    @property
    def keys(self) -> int:
        """Features of a key of a head."""
        return self.key_width or max(self.width // self.heads, min(KEY_WIDTH, self.width))

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width is {self.width}, which is no multiple of {self.heads} heads.")
        if min(self.heads, self.window, self.steps, self.chunk) < 1 or self.key_width < 0:
            raise ValueError(f"heads, window, steps and chunk must be 1 or more, key_width 0 or more; this is {self}.")


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
        width, heads, keys = config.width, config.heads, config.heads * config.keys
        self.config = config
        self.enter = nn.Linear(width, 2 * keys + width, bias=False)
        self.window = CausalWindow(2 * keys + width, config.window, previous=slice(keys, 2 * keys))
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
        dtype = torch.promote_types(weight.dtype, torch.float32)
        gram = weight.new_zeros(batch, config.heads, config.keys, config.keys, dtype=dtype)
        cross = gram.new_zeros(batch, config.heads, config.keys, config.width // config.heads)
        past = gram.new_zeros(batch, config.window - 1, self.enter.out_features)
        diagonal = gram.new_zeros(batch, config.width if config.diagonal else 0)
        return LayerState(HeadState(gram, cross), past, diagonal, gram.new_ones(batch, dtype=torch.long))

    def forward(
        self, positions: Float[Tensor, "B T H"], segments: Int[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T H"]:
        """Map a sequence from the empty state."""
        return self.scan(positions, self.empty_state(len(positions)), segments)[0]

    def scan(
        self,
        positions: Float[Tensor, "B T H"],
        state: LayerState,
        segments: Int[Tensor, "B T"] | None = None,
        weight: Float[Tensor, "B T"] | None = None,
    ) -> tuple[Float[Tensor, "B T H"], LayerState]:
        """Map further positions, one or more; without `segments` they continue that of the state.

        Args:
            positions: Of one segment, if they have weights.
            state: Before them.
            segments: Of every position.
            weight: How strongly each writes, 1 if left out; those of weight 0 come last and leave the state unchanged.
        """
        if segments is None:
            segments = state.segment[:, None].expand(positions.shape[:2])
        begins = segments != torch.cat([state.segment[:, None], segments[:, :-1]], 1)
        run = begins.cumsum(1)
        length = None if weight is None else (weight != 0).sum(1)
        windowed, past = self.window(self.enter(positions), state.window, run, length)
        inputs = self._inputs(windowed, self.write(positions), state.moments.gram.dtype, weight)
        output, moments = self._descend(inputs, state.moments, run)
        mixed = self.norm(output.to(positions.dtype)).transpose(1, 2).flatten(2)
        diagonal = state.diagonal
        if self.diagonal is not None:
            ordered, diagonal = self.diagonal(positions, diagonal, begins, weight)
            mixed = mixed + ordered
        answer = self.leave(mixed * self.gate(positions).sigmoid())
        return answer, LayerState(moments, past, diagonal, segments[:, -1])

    def _inputs(self, windowed: Tensor, write: Tensor, dtype: torch.dtype, weight: Tensor | None) -> HeadInputs:
        keys, by_head = self.config.heads * self.config.keys, (*windowed.shape[:2], self.config.heads, -1)
        parts = torch.split(windowed.to(dtype), [keys, keys, self.config.width], -1)
        query, key, value = (part.reshape(by_head).transpose(1, 2) for part in parts)
        query, key = (nn.functional.normalize(part, dim=-1) for part in (query, key))
        strength, decay = write.to(dtype).mT.chunk(2, 1)
        strength, log_decay = strength.sigmoid(), nn.functional.logsigmoid(decay)
        if weight is not None:
            strength, log_decay = strength * weight[:, None], torch.where((weight == 0)[:, None], 0.0, log_decay)
        return HeadInputs(query, key, value, strength, log_decay)

    def _descend(self, inputs: HeadInputs, state: HeadState, run: Tensor) -> tuple[Tensor, HeadState]:
        shares = 2.0 * self.share_logit.to(state.gram.dtype).sigmoid()
        with torch.autocast(run.device.type, enabled=False):
            return descent.scan(inputs, shares, state, run, self.config.chunk)
