"""Ablations: the stack without one of its parts, with the same sizes and training."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.construction import CERTAIN
from gdssm.decayed_gram import decay_powers
from gdssm.notation import Inputs, Outputs, Predictions, Queries, Windows
from gdssm.stack import GDSSM, StackConfig
from gdssm.tokens import interleave


class Ablated(GDSSM):
    """The stack with an explicit last state, in which single parts can be replaced."""

    def forward(self, x: Inputs, y: Outputs, x_query: Queries) -> Predictions:
        """Predict for the query at the end of each sequence; shapes as in `GDSSM.forward`."""
        window = self.windows(x, y, x_query)
        left, right = self.factors(window)
        update = decay_powers(self.decay_logit, window.shape[1]) * (left.mT @ right)
        mean = update.sum(1) / x.shape[1]
        return self.read(lambda vector: vector @ mean, self.query(window[:, -1:]))

    def factors(self, window: Windows) -> tuple[Windows, Windows]:
        """The two factors (B, N, 3, F) of the input gate's product, X and P X."""
        return window, self.input_gate.mix(window)

    def query(self, window: Windows) -> Float[Tensor, "B N F"]:
        """The query token of every window."""
        return self.output_gate.query(window)


class WithoutWindow(Ablated):
    """One token at a time, x₁, y₁, x₂, …: no product of an x with its y."""

    def windows(self, x: Inputs, y: Outputs, x_query: Queries) -> Float[Tensor, "B T W F"]:
        """Put every token into a separate window, at the first place and at the place of the query."""
        tokens = interleave(self.feature_map(x), y, self.feature_map(x_query))
        blank = torch.zeros_like(tokens)
        return torch.stack([tokens, blank, tokens], dim=2)

    def factors(self, window: Windows) -> tuple[Windows, Windows]:
        """Only the first place enters the products."""
        alone = window * window.new_tensor([1.0, 0.0, 0.0])[:, None]
        return super().factors(alone)


class WithoutInputGate(Ablated):
    """The state sums a linear function of the window instead of a product, Σ c (P X)."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__(config)
        self.constant = nn.Parameter(torch.randn(self.decay_logit.shape[0]) / self.decay_logit.shape[0] ** 0.5)

    def factors(self, window: Windows) -> tuple[Windows, Windows]:
        """A learnt constant instead of X."""
        return self.constant.expand_as(window), self.input_gate.mix(window)


class WithoutOutputGate(Ablated):
    """The state is read by learnt weights and not multiplied with the query."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__(config)
        self.constant = nn.Parameter(torch.randn(self.decay_logit.shape[0]) / self.decay_logit.shape[0] ** 0.5)

    def query(self, window: Windows) -> Float[Tensor, "B N F"]:
        """A learnt constant instead of the query token."""
        return self.constant.expand(*window.shape[:2], -1)


def with_fixed_decay(config: StackConfig) -> GDSSM:
    """Make the stack with decays fixed at 1."""
    stack = GDSSM(config)
    nn.init.constant_(stack.decay_logit, CERTAIN)
    stack.decay_logit.requires_grad = False
    return stack


ABLATIONS: dict[str, Callable[[StackConfig], GDSSM]] = {
    "complete": GDSSM,
    "decay fixed at 1": with_fixed_decay,
    "no window": WithoutWindow,
    "no input gate": WithoutInputGate,
    "no output gate": WithoutOutputGate,
}
