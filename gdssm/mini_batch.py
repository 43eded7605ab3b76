"""Mini-batch gradient descent: one layer for each mini-batch, and a decay of 0 where a mini-batch begins.

The state at the end of a mini-batch is then the sum over it alone; its layer continues from the weight of the layer
before (arXiv 2410.11687v2, mini-batch gradient descent). `MiniBatchDescent` has the weights of the construction,
`MiniBatchStack` learns them.
"""

import torch
from torch import Tensor, nn

from gdssm import recurrence
from gdssm.construction import pairs
from gdssm.decayed_gram import decay_powers
from gdssm.input_gate import InputGate
from gdssm.layer import State
from gdssm.notation import Inputs, LinearWeight, Outputs, Predictions, Queries
from gdssm.stack import GDSSM
from gdssm.tokens import interleave
from gdssm.window import X, Y, slide


class MiniBatchDescent(nn.Module):
    """One gradient step per mini-batch of the context, in order.

    Args:
        batch_size: Observations in a mini-batch; the last one may be smaller.
        learning_rate: η of every step.
        initial_weight: W₀ (D, K).
    """

    initial_weight: Tensor

    def __init__(self, batch_size: int, learning_rate: float, initial_weight: LinearWeight) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.register_buffer("initial_weight", initial_weight)
        self.input_gate = InputGate(pairs((X, X), (X, Y), dtype=initial_weight.dtype))

    def forward(self, x: Inputs, y: Outputs, x_query: Queries) -> Predictions:
        """Predict (B, M, K) for M queries (B, M, D) from a context (B, N, D), (B, N, K)."""
        inputs, weight = x.shape[-1], self.initial_weight.expand(x.shape[0], -1, -1)
        for mean in self._means(x, y):
            gram, cross = mean[:, :inputs, :inputs], mean[:, :inputs, inputs:]
            weight = weight + self.learning_rate * (cross - gram @ weight)
        return x_query @ weight

    def _means(self, x: Inputs, y: Outputs) -> list[Tensor]:
        """The mean gated product (B, F, F) of every mini-batch."""
        length = x.shape[1]
        update = self.input_gate(slide(interleave(x, y, x[:, -1:])))
        position = torch.arange(length, device=x.device)
        decay = (position % self.batch_size != 0).to(x.dtype)[None, :, None, None]
        states = recurrence.scan(decay, update, torch.zeros_like(update[:, 0]))
        ends = [min(start + self.batch_size, length) for start in range(0, length, self.batch_size)]
        sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
        return [
            State(x.new_full(x.shape[:1], size), states[:, end - 1]).mean()
            for end, size in zip(ends, sizes, strict=True)
        ]


class MiniBatchStack(GDSSM):
    """The same with every weight free: layer k reads the state of mini-batch k of L equal ones.

        W_k = W_{k−1} + Z̄_k (B_k − A_k W_{k−1})

    The decays act within a mini-batch; where the next one begins the state is zero.
    """

    def forward(self, x: Inputs, y: Outputs, x_query: Queries) -> Predictions:
        """Predict (B, 1, K) for the query at the end of a context whose length L divides.

        Raises:
            ValueError: L does not divide the length.
        """
        layers, length = self.config.layers, x.shape[1]
        if length % layers:
            raise ValueError(f"the context has {length} observations; {layers} mini-batches need a multiple of it.")
        window = self.windows(x, y, x_query)
        parts = window.reshape(len(window), layers, length // layers, *window.shape[2:])
        products = decay_powers(self.decay_logit, length // layers) * (parts.mT @ self.input_gate.mix(parts))
        means = products.mean(2).unbind(1)
        weight = means[0] @ self.gain[0]
        for mean, gain, feedback in zip(means[1:], self.gain[1:], self.feedback, strict=True):
            weight = weight + mean @ (gain - feedback @ weight)
        prediction: Tensor = self.head(self.output_gate.query(window[:, -1:]) @ weight)
        return prediction
