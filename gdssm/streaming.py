"""A trained stack as a served model, whose state has an open window of the last pair.

A learnt gate may read x_{i+1}. So the state has the last pair in addition to the sum over complete windows; the next
observation or the query completes its window. Streaming equals the whole sequence, to rounding; order matters.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.notation import GatedProduct, Inputs, Outputs, Predictions, Queries, Weight, Windows
from gdssm.stack import GDSSM
from gdssm.tokens import embed, embed_query

BEHIND_ALL = 2**40
"""Larger than any position in a sequence."""


class OpenState(NamedTuple):
    """The state of a stack; zeros before the first observation."""

    count: Float[Tensor, " B"]  # type: ignore[assignment]  # shadows tuple.count, which nothing calls
    """The sum of the weights of all observations."""
    gated_sum: GatedProduct
    """Z over the complete windows (B, F, F)."""
    last_pair: Float[Tensor, "B 2 F"]
    """The tokens of the last observation."""
    last_weight: Float[Tensor, " B"]
    """Its weight; 0 while there is none."""


class StreamingStack(nn.Module):
    """`observe` and `predict` of a stack.

    Args:
        stack: Trained or constructed.
    """

    def __init__(self, stack: GDSSM) -> None:
        super().__init__()
        self.stack = stack

    def empty_state(self, batch: int, inputs: int, outputs: int) -> OpenState:
        """Make the state of `batch` contexts without an observation; D and K must be those of the stack."""
        assert (inputs, outputs) == (self.stack.config.inputs, self.stack.config.outputs)  # noqa: S101
        zeros, features = self.stack.decay_logit.new_zeros, self.stack.decay_logit.shape[0]
        return OpenState(zeros(batch), zeros(batch, features, features), zeros(batch, 2, features), zeros(batch))

    def observe(self, state: OpenState, x: Inputs, y: Outputs, weight: Weight) -> OpenState:
        """Add N observations to the state, N may be 0; those of weight 0 have no effect."""
        new = torch.stack(embed(self.stack.feature_map(x), y), dim=2)
        pairs, weights = observations_first(
            torch.cat([state.last_pair[:, None], new], dim=1), torch.cat([state.last_weight[:, None], weight], dim=1)
        )
        present = (weights != 0).to(weights.dtype)
        length = present.sum(1, keepdim=True)
        position = torch.arange(weights.shape[1], device=x.device)
        age = (length - 2 - position).clamp(min=0)
        closed = weights * (position < length - 1)
        following = nn.functional.pad(pairs[:, 1:, :1], (0, 0, 0, 0, 0, 1))
        update = self.stack.input_gate(torch.cat([pairs, following], dim=2)) * closed[..., None, None]
        decay = self.stack.decay
        faded = decay ** (length - 1).clamp(min=0)[..., None] * state.gated_sum
        is_last = present * (position == length - 1)
        return OpenState(
            state.count + weight[..., None].sum(1)[:, 0],
            faded + (decay ** age[..., None, None] * update).sum(1),
            (pairs * is_last[..., None, None]).sum(1),
            (weights * is_last).sum(1),
        )

    def predict(self, state: OpenState, x_query: Queries) -> Predictions:
        """Predict for M queries, each of which completes the last window; M may be 0."""
        # With a blank query: onnxruntime 1.31 cannot multiply an empty batch of matrices.
        window = self._closed_by(state, nn.functional.pad(x_query, (0, 0, 0, 1)))
        mixed = self.stack.input_gate.mix(window) * state.last_weight[:, None, None, None]
        fade = torch.where((state.last_weight == 0)[:, None, None], 1.0, self.stack.decay)
        complete = fade * state.gated_sum
        count = torch.where(state.count == 0, 1.0, state.count)[:, None, None]

        def apply(vector: Float[Tensor, "B M F"]) -> Float[Tensor, "B M F"]:
            last = ((window @ vector[..., None]) * mixed).sum(2)
            return (vector @ complete + last) / count

        return self.stack.read(apply, self.stack.output_gate.query(window))[:, :-1]

    def _closed_by(self, state: OpenState, x_query: Queries) -> Windows:
        """The last pair's window for every query (B, M, 3, F)."""
        query = embed_query(self.stack.feature_map(x_query), self.stack.config.outputs)[:, :, None]
        last = state.last_pair[:, None].expand(-1, query.shape[1], -1, -1)
        return torch.cat([last, query], dim=2)


def observations_first(pairs: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Move padding (weight 0) of pairs (B, N, 2, F) to the end, in order."""
    place = torch.arange(weights.shape[1], device=weights.device).expand(weights.shape)
    order = torch.where(weights == 0, place + BEHIND_ALL, place).argsort(dim=1)
    # gather and not take_along_dim, which torch 2.13 exports with the length it was traced at.
    return pairs.gather(1, order[..., None, None].expand(pairs.shape)), weights.gather(1, order)
