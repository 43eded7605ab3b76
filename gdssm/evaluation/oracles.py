"""The expected loss of one gradient step on linear tasks, in closed form.

For w ~ N(0, s²I), independent coordinates of x with variance v and kurtosis κ, and observations with noise σ, one step
from W₀ = 0 predicts ŵ = (η/N) Σ x_i y_i. Its two moments are

    E[wᵀŵ] = η v D s²      and      E‖ŵ‖² = η² v² D s² A / N,      A = N + D − 2 + κ + σ²/(v s²),

from the E‖x‖⁴ = v² D (D − 1 + κ) of an observation with itself and the v² D of each with the N − 1 others. So the loss
½ v E‖w − ŵ‖² is a parabola in η with its lowest point at η = N/(v A).
"""

from dataclasses import dataclass

from gdssm.evaluation.checks import require_not_negative, require_positive

UNIFORM_KURTOSIS = 1.8
"""E[x⁴]/E[x²]² of a uniform coordinate."""


def uniform_variance(input_range: float) -> float:
    """The variance r²/12 of U(−r/2, r/2)."""
    return input_range**2 / 12


@dataclass(frozen=True)
class OneStepOracle:
    """One full-batch gradient step from W₀ = 0 on linear tasks.

    Losses are ½ · mean squared error of one output (the mean over outputs, if there are more) at queries without noise
    that are distributed as the observations are.

    Raises:
        ValueError: A field is negative, or is zero and must not be.
    """

    observations: int
    """N."""
    inputs: int
    """D."""
    input_variance: float
    """v, of every coordinate of x."""
    input_kurtosis: float = UNIFORM_KURTOSIS
    """κ, of every coordinate of x; 3 for normal ones."""
    noise: float = 0.0
    """σ, the standard deviation of the noise on y."""
    weight_scale: float = 1.0
    """s, the standard deviation of a weight."""

    def __post_init__(self) -> None:
        require_positive(**{name: value for name, value in vars(self).items() if name != "noise"})
        require_not_negative(noise=self.noise)

    @property
    def denominator(self) -> float:
        """A = N + D − 2 + κ + σ²/(v s²)."""
        signal = self.input_variance * self.weight_scale**2
        return self.observations + self.inputs - 2 + self.input_kurtosis + self.noise**2 / signal

    @property
    def learning_rate(self) -> float:
        """The best learning rate, N/(v A)."""
        return self.observations / (self.input_variance * self.denominator)

    @property
    def zero_loss(self) -> float:
        """The loss of predicting zero, ½ v D s²."""
        return 0.5 * self.input_variance * self.inputs * self.weight_scale**2

    @property
    def loss(self) -> float:
        """The loss at the best learning rate, ½ v D s² (1 − N/A)."""
        return self.zero_loss * (1 - self.observations / self.denominator)
