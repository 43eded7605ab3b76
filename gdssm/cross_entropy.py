"""Gradient steps on softmax cross-entropy: classification in context.

For the implicit classifier softmax(Wᵀx) and one-hot y (or any y that sums to 1), the gradient of the mean
cross-entropy is −mean x rᵀ with r = y − softmax(Wᵀx): the product of regression with the residual r instead of y, by
the same window and input gate (arXiv 2410.11687v3, section on classification).

At W₀ the residual of an observation is known when it arrives, so one step streams in constant memory. After it, all
residuals depend on all observations through W, so K steps pass over the context K times. K in shapes is also the number
of classes.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm.curvature import largest_eigenvalue_bound
from gdssm.descent import sufficient_statistics
from gdssm.layer import State
from gdssm.notation import GatedProduct, Inputs, LinearWeight, Outputs, Predictions, Queries, Weight

SAFE_STEP = 0.0
"""In place of a learning rate: 1/L, L a bound on the curvature for the context (`safe_rate`)."""


class SoftmaxStep(nn.Module):
    """One gradient step from one W to the next.

    Args:
        initial_weight: W₀ (D, K), or (D + 1, K) with an intercept; zero, for any D and K, if left out.
        intercept: Whether x gets a constant feature 1 as its last.
    """

    initial_weight: Tensor | None

    def __init__(self, initial_weight: LinearWeight | None, intercept: bool) -> None:
        super().__init__()
        self.intercept = intercept
        self.register_buffer("initial_weight", initial_weight)

    def features(self, x: Tensor) -> Tensor:
        """Append the constant feature if there is one: x (B, N, D) to (B, N, D) or (B, N, D + 1)."""
        return nn.functional.pad(x, (0, 1), value=1.0) if self.intercept else x

    def start(self, features: Inputs, classes: int) -> LinearWeight:
        """Make W₀ (B, D, K) for x as `features` makes it."""
        batch, _, inputs = features.shape
        if self.initial_weight is not None:
            return self.initial_weight.expand(batch, inputs, classes)
        return features.new_zeros(batch, inputs, classes)

    def total(self, features: Inputs, y: Outputs, weight: Weight, at: LinearWeight) -> State:
        """Sum x xᵀ and x rᵀ over the observations, the residuals taken at W = `at` (B, D, K)."""
        residual = y - torch.softmax(features @ at, -1)
        return sufficient_statistics(features, residual, weight)

    def forward(self, mean: GatedProduct, at: LinearWeight, own: Tensor, given: Tensor) -> LinearWeight:
        """Take the step.

        Args:
            mean: mean x xᵀ and mean x rᵀ (B, F, F).
            at: The W (B, D, K) it starts from.
            own: The learning rate of the step, or `SAFE_STEP`.
            given: A learning rate that replaces it, or `SAFE_STEP`.
        """
        inputs = at.shape[-2]
        fixed = torch.where(given > 0, given, own)
        rate = torch.where(fixed > 0, fixed, safe_rate(mean[:, :inputs, :inputs]))
        return at + rate * mean[:, :inputs, inputs:]


def safe_rate(gram: Float[Tensor, "B D D"]) -> Float[Tensor, "B 1 1"]:
    """A step that never raises the loss: η = 1/L with the bound L = ½·λ_max(mean x xᵀ) on the curvature.

    (diag(p) − p pᵀ has no eigenvalue above ½ for any probabilities p.) Zero for a zero matrix.
    """
    bound = largest_eigenvalue_bound(gram)[:, None, None]
    return torch.where(bound > 0, 2.0 / torch.where(bound > 0, bound, 1.0), 0.0)


class _Descent(nn.Module):
    """The step and the learning rates of both classifiers."""

    learning_rate: Tensor

    def __init__(
        self,
        learning_rate: float | Sequence[float] = SAFE_STEP,
        initial_weight: LinearWeight | None = None,
        *,
        intercept: bool = False,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        self.step = SoftmaxStep(initial_weight, intercept)
        self.register_buffer("learning_rate", torch.tensor(learning_rate, dtype=dtype))


class OneStepClassifier(_Descent):
    """One gradient step on softmax cross-entropy, streaming: the state is a sum over the observations.

    Args:
        learning_rate: η, or `SAFE_STEP`.
        initial_weight: W₀, see `SoftmaxStep`.
        intercept: Whether x gets a constant feature; the state then has one feature more.
    """

    def empty_state(self, batch: int, inputs: int, outputs: int) -> State:
        """Make the state of `batch` contexts without an observation."""
        features = inputs + self.step.intercept + outputs
        zeros = self.learning_rate.new_zeros
        return State(zeros(batch), zeros(batch, features, features))

    def observe(self, state: State, x: Inputs, y: Outputs, weight: Weight) -> State:
        """Add N observations to the state, N may be 0; y is one-hot (B, N, K)."""
        features = self.step.features(x)
        start = self.step.start(features, y.shape[-1])
        count, gated_sum = self.step.total(features, y, weight, start)
        return State(state.count + count, state.gated_sum + gated_sum)

    def predict(self, state: State, x_query: Queries, learning_rate: Float[Tensor, ""]) -> Predictions:
        """Return the class probabilities of M queries, M may be 0; those of W₀ without observations.

        `learning_rate` replaces that of the model unless it is `SAFE_STEP`.
        """
        features = self.step.features(x_query)
        start = self.step.start(features, state.gated_sum.shape[-1] - features.shape[-1])
        weight = self.step(state.mean(), start, self.learning_rate, learning_rate)
        return torch.softmax(features @ weight, -1)


class CrossEntropyDescent(_Descent):
    """K gradient steps on softmax cross-entropy, one-shot: each step passes over the context.

    Args:
        learning_rate: One per step, each positive or `SAFE_STEP`.
        initial_weight: W₀, see `SoftmaxStep`.
        intercept: Whether the classifier has one.
    """

    def forward(
        self, x: Inputs, y: Outputs, weight: Weight, x_query: Queries, learning_rate: Float[Tensor, ""]
    ) -> Predictions:
        """Return the class probabilities of M queries for a context with one-hot y; N and M may be 0.

        `learning_rate` replaces that of every step unless it is `SAFE_STEP`.
        """
        features = self.step.features(x)
        at = self.step.start(features, y.shape[-1])
        for own in self.learning_rate:
            at = self.step(self.step.total(features, y, weight, at).mean(), at, own, learning_rate)
        return torch.softmax(self.step.features(x_query) @ at, -1)
