"""The GD-SSM layer: window → input gate → diagonal recurrence → output gate.

For the window X_i = (x_i, y_i, x_{i+1}), with pair weight P, decay Λ, query weight p, readout C and skip S:

    U_i = X_iᵀ P X_i                          input gate
    Z_i = Λ ⊙ Z_{i−1} + U_i                   recurrence over the matrix state
    q_i = X_iᵀ p                              the query token
    o_i = C Z_iᵀ q_i / i + S q_i              output gate; the last K features predict y_{i+1}

(arXiv 2410.11687. The division by the number of observations i makes the sum the mean of the loss
½·mean‖y − Wx‖²; the older public code divides by the state size, which is the same only where the two are equal.)
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm import recurrence
from gdssm.input_gate import InputGate
from gdssm.notation import GatedProduct, Tokens, Weight, Window, Windows
from gdssm.output_gate import OutputGate
from gdssm.window import slide


class State(NamedTuple):
    """The state of the layer, in float32 or better; zeros before the first observation."""

    count: Float[Tensor, "*B"]  # type: ignore[assignment]  # shadows tuple.count, which nothing calls
    """The sum of their weights."""
    gated_sum: GatedProduct
    """Z, the decayed sum of their gated products (*B, F, F)."""

    def mean(self) -> Tensor:
        """Return the sum divided by the count; zero where the count is zero."""
        return self.gated_sum / torch.where(self.count == 0, 1.0, self.count)[..., None, None]


class GDSSMLayer(nn.Module):
    """One layer with 9 + F² + 3 + F² + F² free weights.

    Args:
        pair_weight: P (3, 3).
        decay: Λ (F, F), each in [0, 1].
        query_weight: p (3,).
        readout: C (F, F).
        skip: S (F, F).
    """

    def __init__(self, pair_weight: Tensor, decay: Tensor, query_weight: Tensor, readout: Tensor, skip: Tensor) -> None:
        super().__init__()
        self.input_gate = InputGate(pair_weight)
        self.decay = recurrence.decay_parameter(decay)
        self.output_gate = OutputGate(query_weight)
        self.readout = nn.Parameter(readout)
        self.skip = nn.Parameter(skip)

    def forward(self, tokens: Tokens) -> Float[Tensor, "B N F"]:
        """Read a sequence of 2N + 1 tokens (`tokens.interleave`); returns the output at each of the N windows."""
        window = slide(tokens)
        output, _ = self.scan(window, window.new_ones(window.shape[:2]), self.empty_state(len(window)))
        return output

    def empty_state(self, batch: int) -> State:
        """Make the state of `batch` contexts without an observation: bfloat16 cannot count beyond 256."""
        dtype = torch.promote_types(self.decay.dtype, torch.float32)
        zeros = self.decay.new_zeros
        return State(zeros(batch, dtype=dtype), zeros(batch, *self.decay.shape, dtype=dtype))

    def scan(self, window: Windows, weight: Weight, state: State) -> tuple[Float[Tensor, "B N F"], State]:
        """Read a sequence in parallel; returns the output and the state after every position."""
        update = self.input_gate(window) * weight[..., None, None]
        states = State(
            state.count[:, None] + weight.to(state.count.dtype).cumsum(1),
            recurrence.scan(self._decay_at(weight), update, state.gated_sum),
        )
        return self._output(window, states), states

    def step(
        self, window: Float[Tensor, "B W F"], weight: Float[Tensor, " B"], state: State
    ) -> tuple[Float[Tensor, "B F"], State]:
        """Read one window; returns the output and the state after it."""
        update = self.input_gate(window) * weight[..., None, None]
        after = State(state.count + weight, recurrence.step(self._decay_at(weight), update, state.gated_sum))
        return self._output(window, after), after

    def _decay_at(self, weight: Tensor) -> Tensor:
        """The decay, and 1 for padding (weight 0), which leaves the state unchanged."""
        return torch.where((weight == 0)[..., None, None], 1.0, self.decay)

    def _output(self, window: Window, state: State) -> Tensor:
        query = self.output_gate.query(window)
        read = self.output_gate(state.mean(), query.to(state.gated_sum.dtype)).to(query.dtype)
        answer: Tensor = read @ self.readout.mT + query @ self.skip.mT
        return answer
