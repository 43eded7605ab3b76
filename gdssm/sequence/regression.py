"""In-context regression by the blocks of `language_model`: x₁, y₁, x₂, y₂, …, x_query is a sequence of 2N + 1 tokens.

At y_i a layer writes the key of x_i, which its window has from the position before, with the value of y_i; at x_query
it reads. `observe` and `predict` are those of a served model: the state of all layers has a fixed size.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.notation import Inputs, Outputs, Predictions, Queries, Weight
from gdssm.sequence.descent import HeadState
from gdssm.sequence.language_model import SequenceBlock
from gdssm.sequence.layer import LayerState, SequenceConfig
from gdssm.streaming import observations_first


@dataclass(frozen=True)
class RegressorConfig:
    """Sizes and options of a model."""

    inputs: int
    """D."""
    outputs: int = 1
    """K."""
    layers: int = 1
    """L, blocks of a layer and a gated perceptron."""
    width: int = 32
    """H."""
    heads: int = 2
    window: int = 3
    """Positions that keys, values and queries are formed of, 2 or more."""
    steps: int = 4
    """Gradient steps of a layer."""

    def __post_init__(self) -> None:
        if self.window < 2:
            raise ValueError(f"window is {self.window}; with less than 2 no token sees the one before.")

    @property
    def layer(self) -> SequenceConfig:
        """The configuration of every layer: without the diagonal path, which a graph cannot have (it has no loop)."""
        return SequenceConfig(self.width, self.heads, self.window, self.steps)


class RegressorState(NamedTuple):
    """The states of all layers, in float32 or better; zeros before the first observation."""

    count: Float[Tensor, " B"]  # type: ignore[assignment]  # shadows tuple.count, which nothing calls
    """The sum of the weights of all observations."""
    gram: Float[Tensor, "B L A D D"]
    """G."""
    cross: Float[Tensor, "B L A D E"]
    """R."""
    window: Float[Tensor, "B L P F"]
    """The last projections."""


class SequenceRegressor(nn.Module):
    """A model whose context is a sequence; weights are drawn from the random state of torch.

    Args:
        config: Sizes and options.
    """

    def __init__(self, config: RegressorConfig) -> None:
        super().__init__()
        self.config = config
        self.enter_x = nn.Linear(config.inputs, config.width)
        self.enter_y = nn.Linear(config.outputs, config.width)
        self.blocks = nn.ModuleList(SequenceBlock(config.layer) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=1e-5)
        self.head = nn.Linear(config.width, config.outputs)

    def forward(self, x: Inputs, y: Outputs, x_query: Queries) -> Predictions:
        """Predict (B, M, K) for M queries, each from the whole context alone."""
        state = self.empty_state(len(x), x.shape[2], y.shape[2])
        return self.predict(self.observe(state, x, y, x.new_ones(x.shape[:2])), x_query)

    def empty_state(self, batch: int, inputs: int, outputs: int) -> RegressorState:
        """Make the state of `batch` contexts without an observation; D and K must be those of the model."""
        assert (inputs, outputs) == (self.config.inputs, self.config.outputs)  # noqa: S101
        parts = _joined(block.layer.empty_state(batch) for block in self._blocks)
        return RegressorState(parts[0].new_zeros(batch), *parts)

    def observe(self, state: RegressorState, x: Inputs, y: Outputs, weight: Weight) -> RegressorState:
        """Add N observations to the state, N may be 0; a weight multiplies the strength of writing, 0 has no effect."""
        count = state.count + weight[..., None].sum(1)[:, 0]
        pairs = torch.stack([self.enter_x(x), self.enter_y(y)], 2)
        # With a blank pair: no operator of a graph needs to be right for an empty sequence.
        pairs, weight = (nn.functional.pad(*padded) for padded in ((pairs, (0, 0, 0, 0, 0, 1)), (weight, (0, 1))))
        pairs, weight = observations_first(pairs, weight)
        _, parts = self._scan(pairs.flatten(1, 2), state, torch.stack([weight, weight], 2).flatten(1))
        return RegressorState(count, *parts)

    def predict(self, state: RegressorState, x_query: Queries) -> Predictions:
        """Predict for M queries, each as the next token of the context; M may be 0."""
        # With a blank query: onnxruntime 1.31 cannot multiply an empty batch of matrices.
        queries = self.enter_x(nn.functional.pad(x_query, (0, 0, 0, 1)))
        batch, count = queries.shape[:2]
        own = (tensor[:, None].expand(-1, count, *tensor.shape[1:]).flatten(0, 1) for tensor in state)
        features, _ = self._scan(queries.flatten(0, 1)[:, None], RegressorState(*own), None)
        answer: Tensor = self.head(self.norm(features))
        return answer.reshape(batch, count, self.config.outputs)[:, :-1]

    def _scan(
        self, positions: Float[Tensor, "B T H"], state: RegressorState, weight: Float[Tensor, "B T"] | None
    ) -> tuple[Float[Tensor, "B T H"], tuple[Tensor, ...]]:
        """Map tokens; returns them, and the states after them without their count."""
        segment, after = torch.ones_like(positions[:, 0, 0], dtype=torch.long), []
        for block, *parts in zip(self._blocks, *(tensor.unbind(1) for tensor in state[1:]), strict=True):
            gram, cross, window = parts
            before = LayerState(HeadState(gram, cross), window, window.flatten(1)[:, :0], segment)
            positions, own = block.scan(positions, before, weight=weight)
            after.append(own)
        return positions, _joined(after)

    @property
    def _blocks(self) -> Iterable[SequenceBlock]:
        return cast("Iterable[SequenceBlock]", self.blocks)


def _joined(states: Iterable[LayerState]) -> tuple[Tensor, ...]:
    """Join the states of all layers, without their segments."""
    parts = ((*state.moments, state.window) for state in states)
    return tuple(torch.stack(tensors, 1) for tensors in zip(*parts, strict=True))
