"""The trainable model: L layers that read one accumulated state, every weight free.

The layers share the window, the input gate and the recurrence; each has a separate readout. With Z̄ = Z/N the
implicit weight grows by one term a layer, from W₀ = 0:

    W_k = W_{k−1} + Z̄ (B_k − A_k W_{k−1})          k = 1 … L, W (F, K)
    prediction = W_Lᵀ q,  q = Xᵀ p at the last window

In terms of `layer`, layer k has the readout C_k = B_kᵀ − W_{k−1}ᵀ A_kᵀ and the skip S_k = W_{k−1}ᵀ.
With P = e₁(e₁ + e₂)ᵀ, p = e₃, B_k = η_k on the outputs and A_k = η_k on the inputs it is L gradient steps
(`construction.steps`): Z then holds Σ x xᵀ and Σ x yᵀ, and with N these suffice for every full-batch step of least
squares. (The older public code takes three sub-layers for two steps, and its earlier positions see later ones.)

It is read from the side of the query: r_L = q, and for k = L … 1: a = Z̄ᵀ r_k, add B_kᵀ a, r_{k−1} = r_k − A_kᵀ a. A
single output is trained from the other side, as above: W is one vector, and Z̄ B_1 one product for all contexts. Both
need only products of Z with vectors, and training makes no state (`decayed_gram`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gdssm import recurrence
from gdssm.decayed_gram import DecayedGramOperator
from gdssm.features import FeatureMap, GatedHead
from gdssm.input_gate import InputGate
from gdssm.notation import GatedProduct, Inputs, Outputs, Predictions, Queries, Windows
from gdssm.output_gate import OutputGate
from gdssm.tokens import interleave
from gdssm.window import WIDTH, slide

CHUNK = 256
"""Positions of a sequence whose states exist at the same time."""


@dataclass(frozen=True)
class StackConfig:
    """Sizes and options of a stack."""

    inputs: int
    """D."""
    outputs: int = 1
    """K."""
    layers: int = 1
    """L, the largest number of gradient steps."""
    feature_widths: tuple[int, ...] = ()
    """Layers of the feature map; empty for regression on x."""
    head_width: int = 0
    """Width of the gated head; 0 for none."""


class GDSSM(nn.Module):
    """The stack, with 9 + F² + 3 + L·F·K + (L − 1)·F² weights, without feature map and head.

    Args:
        config: Sizes and options. Weights are drawn from the random state of torch.
    """

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.config = config
        self.feature_map = FeatureMap(config.inputs, config.feature_widths)
        features = self.feature_map.features + config.outputs
        self.input_gate = InputGate(0.5 * torch.randn(WIDTH, WIDTH))
        self.decay_logit = recurrence.decay_parameter(2.0 + 2.0 * torch.rand(features, features))
        self.output_gate = OutputGate(0.5 * torch.randn(WIDTH))
        self.gain = nn.Parameter(torch.randn(config.layers, features, config.outputs) / features**0.5)
        self.feedback = nn.Parameter(torch.randn(config.layers - 1, features, features) / features)
        self.head = GatedHead(config.outputs, config.head_width) if config.head_width else nn.Identity()

    @property
    def decay(self) -> Float[Tensor, "F F"]:
        """Λ, each in (0, 1)."""
        return self.decay_logit.sigmoid()

    def forward(self, x: Inputs, y: Outputs, x_query: Queries) -> Predictions:
        """Predict (B, M, K) for M queries, each at the end of its sequence of at least one pair, without a state.

        Every query is a sequence: M queries cost M times as much as one. `StreamingStack` reads the pairs once.
        """
        queries = x_query.shape[1]
        if queries != 1:
            x, y = (tensor.repeat_interleave(queries, 0) for tensor in (x, y))
            each: Tensor = self(x, y, x_query.flatten(0, 1)[:, None])
            return each.reshape(len(x_query), queries, self.config.outputs)
        x, x_query = self.feature_map(x), self.feature_map(x_query)
        query = self.output_gate.query(slide(interleave(x[:, -1:], y[:, -1:], x_query)))
        decay_logit, pair_weight, length = self.decay_logit, self.input_gate.pair_weight, x.shape[1]
        if self.config.outputs == 1:
            total = DecayedGramOperator(decay_logit, pair_weight, x, y, x_query)
            weight = self.weigh(lambda vector: total(vector) / length)
            prediction: Tensor = self.head((query * weight.mT[:, None]).sum(-1, keepdim=True))
            return prediction
        total = DecayedGramOperator(decay_logit.mT, pair_weight.mT, x, y, x_query)
        return self.read(lambda vector: total(vector[:, 0].mT).mT[:, None] / length, query)

    def weigh(self, apply: Callable[[Tensor], Tensor]) -> Float[Tensor, "F B"]:
        """Return the implicit weight W_L of a single output, from the first layer on.

        Args:
            apply: v ↦ Z̄ v, for one vector per context (F, B), or one that all share (F, 1).
        """
        weight = apply(self.gain[0])
        for gain, feedback in zip(self.gain[1:], self.feedback, strict=True):
            weight = weight + apply(gain - feedback @ weight)
        return weight

    def sequence(self, x: Inputs, y: Outputs, x_query: Queries, chunk: int = CHUNK) -> Float[Tensor, "B N K"]:
        """Predict y_{i+1} from the first i pairs, at every position i = 1 … N; x_query is (B, 1, D).

        Args:
            x: (B, N, D).
            y: (B, N, K).
            x_query: (B, 1, D).
            chunk: Positions whose states exist at the same time, in float32 or better; the backward pass makes them
                again.
        """
        window = self.windows(x, y, x_query)
        dtype = torch.promote_types(window.dtype, torch.float32)
        state = window.new_zeros(len(window), *self.decay_logit.shape, dtype=dtype)
        predictions = []
        for start in range(0, window.shape[1], chunk):
            part = window[:, start : start + chunk]
            if torch.is_grad_enabled() and window.shape[1] > chunk:
                prediction, state = checkpoint(self._read_chunk, part, start, state, use_reentrant=False)
            else:
                prediction, state = self._read_chunk(part, start, state)
            predictions.append(prediction)
        return torch.cat(predictions, dim=1)

    def _read_chunk(self, window: Windows, start: int, state: GatedProduct) -> tuple[Tensor, Tensor]:
        """Return the predictions of a chunk that begins after `start` pairs, and the state after it."""
        update = self.input_gate(window).to(state.dtype)
        states = recurrence.scan(self.decay.expand_as(update[:1]).to(state.dtype), update, state)
        return self.read_all(window, states, start), states[:, -1]

    def read_all(self, window: Windows, states: Float[Tensor, "B N F F"], start: int = 0) -> Float[Tensor, "B N K"]:
        """Predict at every position from the state after it; `start` pairs came before the first."""
        count = torch.arange(start + 1, start + window.shape[1] + 1, dtype=states.dtype, device=window.device)
        mean = (states / count[:, None, None]).to(window.dtype)
        return self.read(lambda vector: (vector[..., None, :] @ mean)[..., 0, :], self.output_gate.query(window))

    def windows(self, x: Inputs, y: Outputs, x_query: Queries) -> Windows:
        """View a sequence of features and outputs through the window."""
        return slide(interleave(self.feature_map(x), y, self.feature_map(x_query)))

    def read(self, apply: Callable[[Tensor], Tensor], query: Float[Tensor, "*B F"]) -> Float[Tensor, "*B K"]:
        """Read the state from the side of the query, from the last layer on.

        Args:
            apply: r ↦ Z̄ᵀ r, for any number of vectors (*B, F).
            query: The query tokens (*B, F).
        """
        answer = torch.zeros_like(query[..., : self.config.outputs])
        remainder = query
        for k in reversed(range(self.config.layers)):
            seen = apply(remainder)
            answer = answer + seen @ self.gain[k]
            if k:
                remainder = remainder - seen @ self.feedback[k - 1]
        prediction: Tensor = self.head(answer)
        return prediction
