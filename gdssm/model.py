"""The served models: `observe` adds observations to a state, `predict` reads predictions; both are pure functions."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdssm import moments, recurrence
from gdssm.construction import pairs
from gdssm.curvature import power_norm
from gdssm.descent import Step, descend, line_search, sufficient_statistics
from gdssm.input_gate import InputGate
from gdssm.layer import State
from gdssm.moments import Moments, diagonal
from gdssm.notation import GatedProduct, Inputs, LinearWeight, Outputs, Predictions, Queries, Weight
from gdssm.tokens import interleave
from gdssm.window import X, Y, slide

LINE_SEARCH = 0.0
"""In place of a learning rate: each step has the length that lowers the loss of the context most."""


class GradientDescent(nn.Module):
    """K constructed gradient steps on raw x and y, any D and K; `gd-1` and `gd-8` in the zoo.

    Args:
        learning_rates: One per step, each positive or `LINE_SEARCH`.
        initial_weight: W₀ (D, K); zero, for any D and K, if left out.
    """

    initial_weight: Tensor | None

    def __init__(
        self,
        learning_rates: Sequence[float],
        initial_weight: LinearWeight | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        self.learning_rates = tuple(learning_rates)
        self.input_gate = InputGate(pairs((X, X), (X, Y), dtype=dtype))
        self.register_buffer("initial_weight", initial_weight)

    def empty_state(self, batch: int, inputs: int, outputs: int) -> State:
        """Make the state of `batch` contexts without an observation."""
        zeros = self.input_gate.pair_weight.new_zeros
        return State(zeros(batch), zeros(batch, inputs + outputs, inputs + outputs))

    def observe(self, state: State, x: Inputs, y: Outputs, weight: Weight) -> State:
        """Add N observations to the state, N may be 0."""
        new = sufficient_statistics(x, y, weight)
        return State(state.count + new.count, state.gated_sum + new.gated_sum)

    def predict(self, state: State, x_query: Queries, learning_rate: Float[Tensor, ""]) -> Predictions:
        """Predict for M queries, M may be 0; `learning_rate` replaces those of the model unless it is `LINE_SEARCH`."""
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
        if self.initial_weight is not None:
            cross = cross - gram @ self.initial_weight
        # Scaled to length one, so that the powers in a line search stay in range.
        length = cross.abs().amax(-2, keepdim=True)
        unit = cross / torch.maximum(length, torch.tensor(torch.finfo(length.dtype).tiny, dtype=length.dtype))
        change = length * descend(gram, unit, [self._step(own, learning_rate) for own in self.learning_rates])
        return change if self.initial_weight is None else self.initial_weight + change

    def _step(self, own: float, given: Tensor) -> Step:
        """Use the given rate if there is one, else that of the step, else line search."""

        def step(gram: Tensor, direction: Tensor) -> Tensor:
            rate = line_search(gram, direction, given) if own == LINE_SEARCH else torch.where(given > 0, given, own)
            return rate * direction

        return step


class StandardizedDescent(nn.Module):
    """K gradient steps on standardised data with an intercept; `linear` 1.0 in the zoo.

    Columns of x are centred and scaled by the mean and standard deviation of the context; y is centred (its scale would
    cancel). The step is 1/λ of the standardised second moments, λ a close upper bound of the largest eigenvalue. Few
    steps from zero act as a ridge: directions of little variance stay near zero. A constant column is left out.

    Args:
        steps: K, the number of gradient steps.
    """

    CONSTANT = 1e-12
    """Relative to the mean, the largest standard deviation of a constant column."""
    RESIDUE = 1e-14
    """Relative to its peak, the largest diagonal that rounding leaves of removed observations."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def empty_state(self, batch: int, inputs: int, outputs: int) -> Moments:
        """Make the state of `batch` contexts without an observation."""
        return moments.empty(batch, inputs + outputs)

    def observe(self, state: Moments, x: Inputs, y: Outputs, weight: Weight) -> Moments:
        """Add N observations to the state, N may be 0."""
        return moments.add(state, x, y, weight)

    def predict(self, state: Moments, x_query: Queries) -> Predictions:
        """Answer M queries from the state, M may be 0."""
        inputs = x_query.shape[-1]
        # In units of √comoment instead of the standard deviation, √count cancels everywhere.
        length = self._length(state)[:, :inputs]
        scaled = state.comoment[:, :inputs] / length[..., None]
        gram, cross = scaled[..., :inputs] / length[:, None], scaled[..., inputs:]
        bound = power_norm(gram).clamp(min=1.0)[:, None, None]
        weight = descend(gram / bound, cross / bound, [_whole] * self.steps)
        standardized = (x_query - state.mean[:, None, :inputs]) / length[:, None]
        return standardized @ weight + state.mean[:, None, inputs:]

    def _length(self, state: Moments) -> Float[Tensor, "B F"]:
        """√Σ weight·(z − mean)² of every column; infinite for a constant one, so that nothing depends on it."""
        squared = diagonal(state.comoment)
        floor = torch.maximum(state.count[:, None] * (self.CONSTANT * state.mean).square(), self.RESIDUE * state.peak)
        return torch.where(squared > floor, squared, torch.inf).sqrt()


def _whole(_gram: Tensor, direction: Tensor) -> Tensor:
    """Step by the direction: the rate is in the units."""
    return direction
