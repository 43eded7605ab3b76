"""Non-linear tasks: sines, sums of sines, Friedman's function and random networks."""

import math
from dataclasses import dataclass

import numpy as np

from gdssm.arrays import Array
from gdssm.evaluation.checks import require_positive
from gdssm.evaluation.tasks.task import Batch, split_stream, uniform_inputs


@dataclass(frozen=True)
class Sine:
    """y = a·sin(x + φ) with one input, one output, and a and φ drawn independently (the paper's non-linear task).

    Raises:
        ValueError: The input range is not positive, or the ends of an interval are in the wrong order.
    """

    amplitude: tuple[float, float] = (0.1, 0.5)
    """The interval of a, uniform."""
    phase: tuple[float, float] = (0.0, math.pi)
    """The interval of φ in radians, uniform."""
    input_range: float = 10.0
    """r: x ~ U(−r/2, r/2)."""

    def __post_init__(self) -> None:
        require_positive(input_range=self.input_range)
        for name, (low, high) in (("amplitude", self.amplitude), ("phase", self.phase)):
            if not low <= high:
                raise ValueError(f"{name} is ({low}, {high}); give the lower end first.")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`."""
        positions, amplitudes, phases = split_stream(rng, 3)
        x, x_query = uniform_inputs(positions, (tasks, observations, 1), queries, self.input_range)
        amplitude = amplitudes.uniform(*self.amplitude, (tasks, 1, 1))
        phase = phases.uniform(*self.phase, (tasks, 1, 1))
        return Batch(x, amplitude * np.sin(x + phase), x_query, amplitude * np.sin(x_query + phase))


@dataclass(frozen=True)
class Additive:
    """y = Σ_d a_d sin(2π p_d x_d/r + φ_d), a ~ N(0, s²), p uniform, φ ~ U(0, 2π): drawn for each task and output.

    Raises:
        ValueError: A field is not positive, or the ends of the interval of the periods are in the wrong order.
    """

    inputs: int = 4
    """D."""
    outputs: int = 1
    """K."""
    periods: tuple[float, float] = (0.5, 1.5)
    """The interval of p, the number of periods in the range of an input."""
    input_range: float = 2.0
    """r: x ~ U(−r/2, r/2)^D."""
    scale: float = 1.0
    """s; the variance of y is D·s²/2."""

    def __post_init__(self) -> None:
        require_positive(inputs=self.inputs, outputs=self.outputs, input_range=self.input_range, scale=self.scale)
        low, high = self.periods
        if not 0 < low <= high:
            raise ValueError(f"periods is ({low}, {high}); give two positive numbers, the lower end first.")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`."""
        positions, amplitudes, periods, phases = split_stream(rng, 4)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        shape = (tasks, 1, self.inputs, self.outputs)
        amplitude = self.scale * amplitudes.standard_normal(shape)
        rate = 2 * math.pi / self.input_range * periods.uniform(*self.periods, shape)
        phase = phases.uniform(0, 2 * math.pi, shape)

        def function(inputs: Array) -> Array:
            y: Array = (amplitude * np.sin(rate * inputs[..., None] + phase)).sum(axis=2)
            return y

        return Batch(x, function(x), x_query, function(x_query))


@dataclass(frozen=True)
class Friedman:
    """y = 10 sin(π u₁u₂) + 20 (u₃ − ½)² + 10 u₄ + 5 u₅ less its mean, u = ½ + x/r (Friedman 1991, MARS).

    Which inputs are u₁ … u₅ is drawn for each task; the others do not matter. y has a standard deviation of 4.9.

    Raises:
        ValueError: There are fewer than five inputs, or the input range is not positive.
    """

    USED = 5
    """Inputs of the function."""
    MEAN = 14.4133
    """Of the function over the unit cube: (10/π) ∫₀^π (1 − cos t)/t dt + 20/12 + 10/2 + 5/2, rounded."""

    inputs: int = 10
    """D, at least 5."""
    input_range: float = 2.0
    """r: x ~ U(−r/2, r/2)^D."""

    def __post_init__(self) -> None:
        require_positive(input_range=self.input_range)
        if self.inputs < self.USED:
            raise ValueError(f"inputs is {self.inputs}; the function has {self.USED}.")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`."""
        positions, places = split_stream(rng, 2)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        everywhere = np.broadcast_to(np.arange(self.inputs), (tasks, self.inputs))
        used = places.permuted(everywhere, axis=1)[:, None, : self.USED]
        return Batch(x, self._function(x, used), x_query, self._function(x_query, used))

    def _function(self, x: Array, used: np.ndarray) -> Array:
        """The function (B, N, 1) of inputs (B, N, D), of which those at (B, 1, 5) are used."""
        u = np.moveaxis(0.5 + np.take_along_axis(x, used, axis=2) / self.input_range, -1, 0)
        y: Array = 10 * np.sin(np.pi * u[0] * u[1]) + 20 * (u[2] - 0.5) ** 2 + 10 * u[3] + 5 * u[4] - self.MEAN
        return y[..., None]


@dataclass(frozen=True)
class RandomNetwork:
    """y = Aᵀ·relu(Wᵀx), W ~ N(0, 1), A ~ N(0, 2s²/H): a network for each task (after Garg et al. 2022).

    The 2/H makes y as large as in a `Linear` task of the same s.

    Raises:
        ValueError: A field is not positive.
    """

    inputs: int = 10
    """D."""
    outputs: int = 1
    """K."""
    hidden: int = 100
    """H, the width of the hidden layer."""
    input_range: float = 2.0
    """r: x ~ U(−r/2, r/2)^D."""
    weight_scale: float = 1.0
    """s, the scale of y."""

    def __post_init__(self) -> None:
        require_positive(**vars(self))

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`."""
        positions, first, second = split_stream(rng, 3)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        W = first.standard_normal((tasks, self.inputs, self.hidden))
        A = self.weight_scale * math.sqrt(2 / self.hidden) * second.standard_normal((tasks, self.hidden, self.outputs))
        return Batch(x, np.maximum(x @ W, 0) @ A, x_query, np.maximum(x_query @ W, 0) @ A)
