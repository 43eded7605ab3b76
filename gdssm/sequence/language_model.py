"""Residual blocks of a layer and a gated perceptron, and a small language model of them."""

from collections.abc import Iterable
from typing import TypeAlias, cast

from jaxtyping import Float, Int
from torch import Tensor, nn

from gdssm.sequence.layer import LayerState, SequenceConfig, SequenceLayer

ModelState: TypeAlias = tuple[LayerState, ...]
"""The states of the blocks."""


class GatedPerceptron(nn.Module):
    """W₂ (SiLU(a) ⊙ b) with (a, b) = W₁ x (Shazeer 2020).

    Args:
        width: H.
        hidden: Features of a and of b.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.enter = nn.Linear(width, 2 * hidden)
        self.leave = nn.Linear(hidden, width)

    def forward(self, positions: Float[Tensor, "*B H"]) -> Float[Tensor, "*B H"]:
        """Map each position by itself."""
        gate, value = self.enter(positions).chunk(2, -1)
        answer: Tensor = self.leave(nn.functional.silu(gate) * value)
        return answer


class SequenceBlock(nn.Module):
    """x + layer(norm(x)), then x + perceptron(norm(x)).

    Args:
        config: Of the layer.
    """

    def __init__(self, config: SequenceConfig) -> None:
        super().__init__()
        self.layer_norm = nn.RMSNorm(config.width, eps=1e-5)
        self.layer = SequenceLayer(config)
        self.perceptron_norm = nn.RMSNorm(config.width, eps=1e-5)
        self.perceptron = GatedPerceptron(config.width, 2 * config.width)

    def forward(
        self, positions: Float[Tensor, "B T H"], segments: Int[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T H"]:
        """Map a sequence from the empty state."""
        return self.scan(positions, self.layer.empty_state(len(positions)), segments)[0]

    def scan(
        self,
        positions: Float[Tensor, "B T H"],
        state: LayerState,
        segments: Int[Tensor, "B T"] | None = None,
        weight: Float[Tensor, "B T"] | None = None,
    ) -> tuple[Float[Tensor, "B T H"], LayerState]:
        """See `SequenceLayer.scan`."""
        mixed, state = self.layer.scan(self.layer_norm(positions), state, segments, weight)
        positions = positions + mixed
        return positions + self.perceptron(self.perceptron_norm(positions)), state


class LanguageModel(nn.Module):
    """Embedding, blocks, norm and a linear head.

    Args:
        vocabulary: V, number of tokens.
        blocks: Number of blocks.
        config: Of the layer of every block.
    """

    def __init__(self, vocabulary: int, blocks: int, config: SequenceConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, config.width)
        self.blocks = nn.ModuleList(SequenceBlock(config) for _ in range(blocks))
        self.norm = nn.RMSNorm(config.width, eps=1e-5)
        self.head = nn.Linear(config.width, vocabulary, bias=False)

    def empty_state(self, batch: int) -> ModelState:
        """Return the state before any token."""
        return tuple(block.layer.empty_state(batch) for block in self._blocks)

    def forward(self, tokens: Int[Tensor, "B T"], segments: Int[Tensor, "B T"] | None = None) -> Float[Tensor, "B T V"]:
        """Return the logits of the token after every token; segments as of `SequenceLayer`."""
        return self.scan(tokens, self.empty_state(len(tokens)), segments)[0]

    def scan(
        self, tokens: Int[Tensor, "B T"], state: ModelState, segments: Int[Tensor, "B T"] | None = None
    ) -> tuple[Float[Tensor, "B T V"], ModelState]:
        """Read further tokens, one or more."""
        features, states = self.embedding(tokens), []
        for block, before in zip(self._blocks, state, strict=True):
            features, after = block.scan(features, before, segments)
            states.append(after)
        return self.head(self.norm(features)), tuple(states)

    @property
    def _blocks(self) -> Iterable[SequenceBlock]:
        return cast("Iterable[SequenceBlock]", self.blocks)
