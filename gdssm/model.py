"""The models that are served: each adds observations to a state and reads predictions from it.

`observe` and `predict` are the whole interface; both are pure functions of their arguments, and `export` wraps them
as they are.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm import recurrence
from gdssm.construction import X, Y, pairs
from gdssm.curvature import largest_eigenvalue_bound
from gdssm.descent import StepSize, descend, line_search
from gdssm.input_gate import InputGate
from gdssm.layer import State
from gdssm.moments import MomentAccumulator, Moments
from gdssm.notation import GatedProduct, Inputs, LinearWeight, Outputs, Predictions, Queries, Weight
from gdssm.tokens import interleave
from gdssm.window import slide

BEST = 0.0
"""In place of a learning rate: each step takes the best length for the context itself (exact line search)."""


class GradientDescent(nn.Module):
    """K constructed gradient steps on raw x and y, any D and K; `gd-1` and `gd-8` in the zoo.

    Args:
        learning_rates: One per step, each positive or `BEST`.
        initial_weight: W₀ (D, K); zero, for any D and K, if left out.
    """

    learning_rates: Tensor
    initial_weight: Tensor | None

    def __init__(
        self,
        learning_rates: Sequence[float],
        initial_weight: LinearWeight | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        self.input_gate = InputGate(pairs((X, X), (X, Y), dtype=dtype))
        self.register_buffer("learning_rates", torch.tensor(learning_rates, dtype=dtype))
        self.register_buffer("initial_weight", initial_weight)

    def empty_state(self, batch: int, inputs: int, outputs: int) -> State:
        """Make the state of `batch` contexts without an observation."""
        zeros = self.learning_rates.new_zeros
        return State(zeros(batch), zeros(batch, inputs + outputs, inputs + outputs))

    def observe(self, state: State, x: Inputs, y: Outputs, weight: Weight) -> State:
        """Add N observations to the state, N may be 0."""
        no_query = x.new_zeros(x.shape[0], 1, x.shape[-1])
        update = self.input_gate.total(slide(interleave(x, y, no_query)), weight)
        return State(state.count + weight[..., None].sum(1)[:, 0], state.gated_sum + update)

    def predict(self, state: State, x_query: Queries, learning_rate: Float[Tensor, ""]) -> Predictions:
        """Answer M queries from the state, M may be 0.

        Args:
            state: What was observed.
            x_query: (B, M, D).
            learning_rate: η for every step, or `BEST` to take the model's own.
        """
        return x_query @ self.weight(state.mean(), x_query.shape[-1], learning_rate)

    def sequence(self, x: Inputs, y: Outputs, x_query: Float[Tensor, "B 1 D"]) -> Float[Tensor, "B N K"]:
        """Predict y_{i+1} from the first i pairs, at every position i = 1 … N of a sequence."""
        windows = slide(interleave(x, y, x_query))
        gated_sum = recurrence.scan(
            x.new_ones(1, 1, 1, 1).expand(-1, x.shape[1], -1, -1),
            self.input_gate(windows),
            self.empty_state(x.shape[0], x.shape[-1], y.shape[-1]).gated_sum,
        )
        count = torch.arange(1, x.shape[1] + 1, dtype=x.dtype, device=x.device)
        weight = self.weight(State(count, gated_sum).mean(), x.shape[-1], x.new_zeros(()))
        following = torch.cat([x[:, 1:], x_query], dim=1)
        return (following[..., None, :] @ weight)[..., 0, :]

    def weight(self, mean: GatedProduct, inputs: int, learning_rate: Tensor) -> LinearWeight:
        """Take the steps: W_K (*B, D, K) from the mean gated product (*B, F, F)."""
        gram, cross = mean[..., :inputs, :inputs], mean[..., :inputs, inputs:]
        start = torch.zeros_like(cross) if self.initial_weight is None else self.initial_weight.expand_as(cross)
        return descend(gram, cross, start, [self._step_size(own, learning_rate) for own in self.learning_rates])

    def _step_size(self, own: Tensor, given: Tensor) -> StepSize:
        """The given rate if there is one, else the step's own, else the best one for the context."""

        def step_size(gram: Tensor, direction: Tensor) -> Tensor:
            fixed = torch.where(given > 0, given, own)
            return torch.where(fixed > 0, fixed, line_search(gram, direction))

        return step_size


class StandardizedDescent(nn.Module):
    """K gradient steps on standardised data with an intercept and nothing to tune; `linear` in the zoo.

    Every column of x is centred and scaled by the context's own mean and standard deviation; y is centred (its scale
    would cancel: the answer is linear in y). The step is 1/λ of the standardised second moments, λ being a close upper
    bound of the largest eigenvalue. Few steps from zero act as a ridge: directions that the context has hardly seen
    stay near zero, so N < D and collinear columns are harmless. A column that does not vary is left out.

    Args:
        steps: K, the number of gradient steps.
    """

    CONSTANT = 1e-12
    """A standard deviation this small beside the mean is rounding: the column is constant."""
    RESIDUE = 1e-14
    """A comoment this small beside its peak is what rounding left of observations that were taken out."""

    def __init__(self, steps: int, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        self.steps = steps
        self.accumulator = MomentAccumulator(dtype)

    def empty_state(self, batch: int, inputs: int, outputs: int) -> Moments:
        """Make the state of `batch` contexts without an observation."""
        features = inputs + outputs
        zeros = self.accumulator.input_gate.pair_weight.new_zeros
        return Moments(zeros(batch), zeros(batch, features), zeros(batch, features, features), zeros(batch, features))

    def observe(self, state: Moments, x: Inputs, y: Outputs, weight: Weight) -> Moments:
        """Add N observations to the state, N may be 0."""
        moments: Moments = self.accumulator(state, x, y, weight)
        return moments

    def predict(self, state: Moments, x_query: Queries) -> Predictions:
        """Answer M queries from the state, M may be 0."""
        inputs = x_query.shape[-1]
        count = torch.where(state.count > 0, state.count, 1.0)[:, None]
        inverse_spread = self._inverse_spread(state, count)[:, :inputs]
        scaled = state.comoment[:, :inputs] * inverse_spread[..., None] / count[..., None]
        gram, cross = scaled[:, :, :inputs] * inverse_spread[:, None], scaled[:, :, inputs:]
        bound = largest_eigenvalue_bound(gram)[:, None, None]
        rate = torch.where(bound > 0, 1.0 / torch.where(bound > 0, bound, 1.0), 0.0)
        weight = descend(gram, cross, torch.zeros_like(cross), [lambda _gram, _direction: rate] * self.steps)
        standardized = (x_query - state.mean[:, None, :inputs]) * inverse_spread[:, None]
        return standardized @ weight + state.mean[:, None, inputs:]

    def _inverse_spread(self, state: Moments, count: Tensor) -> Float[Tensor, "B F"]:
        """1/standard deviation of every column; 0 for a constant one."""
        comoment = state.comoment.diagonal(dim1=-2, dim2=-1)
        floor = torch.maximum(count * (self.CONSTANT * state.mean) ** 2, self.RESIDUE * state.peak)
        varies = comoment > floor
        return torch.where(varies, torch.rsqrt(torch.where(varies, comoment, 1.0) / count), 0.0)
