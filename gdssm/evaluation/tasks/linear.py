"""Linear tasks y = Wᵀx with a W for each task: the paper's main task, and others in which one thing is different.

In all of them a coordinate of x has the mean variance r²/12 and a weight the variance s², so predicting zero has the
same loss.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from gdssm.arrays import Array
from gdssm.evaluation.checks import require_not_negative, require_positive
from gdssm.evaluation.tasks.task import Batch, Task, split_stream, uniform_inputs


@dataclass(frozen=True)
class Linear:
    """x ~ U(−r/2, r/2)^D, every entry of W ~ N(0, s²), no noise (the paper's main task).

    Raises:
        ValueError: A field is not positive.
    """

    inputs: int = 10
    """D."""
    outputs: int = 1
    """K, with independent weights for each output."""
    input_range: float = 2.0
    """r: 2 for the U(−1, 1) of the paper's text; its older public code has U(−½, ½), which is 1."""
    weight_scale: float = 1.0
    """s, the standard deviation of a weight."""

    def __post_init__(self) -> None:
        require_positive(**vars(self))

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`."""
        positions, weights = split_stream(rng, 2)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        W = self.draw_weights(weights, tasks)
        return Batch(x, x @ W, x_query, x_query @ W)

    def draw_weights(self, rng: np.random.Generator, tasks: int) -> Array:
        """Draw W (B, D, K)."""
        return self.weight_scale * rng.standard_normal((tasks, self.inputs, self.outputs))


@dataclass(frozen=True)
class Stretched:
    """A linear task with wider inputs and larger weights, in the context and in the queries (the paper's test).

    From one seed the stretched task is the same task in other units: x grows by one factor, y by both.

    Raises:
        ValueError: A stretch is not positive.
    """

    linear: Linear = field(default_factory=Linear)
    input_stretch: float = 1.0
    """Factor of the range of x."""
    weight_stretch: float = 1.0
    """Factor of the standard deviation of the weights."""

    def __post_init__(self) -> None:
        require_positive(input_stretch=self.input_stretch, weight_stretch=self.weight_stretch)

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`."""
        stretched = replace(
            self.linear,
            input_range=self.linear.input_range * self.input_stretch,
            weight_scale=self.linear.weight_scale * self.weight_stretch,
        )
        return stretched.sample(rng, tasks, observations, queries)


@dataclass(frozen=True)
class SparseLinear(Linear):
    """Exactly S weights of each output are not zero, at random places (after Garg et al. 2022).

    Raises:
        ValueError: A field is not positive, or S is more than D.
    """

    nonzeros: int = 3
    """S."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nonzeros > self.inputs:
            raise ValueError(f"nonzeros is {self.nonzeros}; it must be at most inputs, which is {self.inputs}.")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`."""
        positions, weights, places = split_stream(rng, 3)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        first = np.arange(self.inputs)[:, None] < self.nonzeros
        mask = np.broadcast_to(first, (tasks, self.inputs, self.outputs)).astype(np.float64)
        W = self.draw_weights(weights, tasks) * places.permuted(mask, axis=1)
        return Batch(x, x @ W, x_query, x_query @ W)


@dataclass(frozen=True)
class Correlated(Linear):
    """x ~ N(0, Σ) with a given condition number of Σ, and a random eigenbasis for each task (after Fu et al. 2023).

    The eigenvalues fall geometrically; their mean is r²/12.

    Raises:
        ValueError: A field is not positive, there are fewer than two inputs, or the condition number is below 1.
    """

    condition_number: float = 100.0
    """Largest over smallest eigenvalue of Σ."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inputs < 2:
            raise ValueError(f"inputs is {self.inputs}; a correlation takes at least 2.")
        if not self.condition_number >= 1:
            raise ValueError(f"condition_number is {self.condition_number}; it must be at least 1.")

    @property
    def eigenvalues(self) -> Array:
        """The eigenvalues of Σ (D,), the largest first."""
        falling = np.geomspace(1.0, 1.0 / self.condition_number, self.inputs)
        eigenvalues: Array = falling / falling.mean() * self.input_range**2 / 12
        return eigenvalues

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`."""
        observed, queried, bases, weights = split_stream(rng, 4)
        # The sign of a column of the orthogonal factor depends on the algorithm; N(0, 1) is symmetric.
        basis, _ = np.linalg.qr(bases.standard_normal((tasks, self.inputs, self.inputs)))
        root = np.sqrt(self.eigenvalues)[:, None] * basis.transpose(0, 2, 1)
        x = observed.standard_normal((tasks, observations, self.inputs)) @ root
        x_query = queried.standard_normal((tasks, queries, self.inputs)) @ root
        W = self.draw_weights(weights, tasks)
        return Batch(x, x @ W, x_query, x_query @ W)


@dataclass(frozen=True)
class HeavyTailed(Linear):
    """Every coordinate of x has Student's t distribution, scaled to the variance r²/12.

    Raises:
        ValueError: A field is not positive, or there are so few degrees of freedom that x has no variance.
    """

    degrees_of_freedom: float = 3.0
    """ν, above 2."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_variance(self.degrees_of_freedom)

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`."""
        observed, queried, weights = split_stream(rng, 3)
        freedom = self.degrees_of_freedom
        scale = self.input_range * math.sqrt((freedom - 2) / freedom / 12)
        x = scale * observed.standard_t(freedom, (tasks, observations, self.inputs))
        x_query = scale * queried.standard_t(freedom, (tasks, queries, self.inputs))
        W = self.draw_weights(weights, tasks)
        return Batch(x, x @ W, x_query, x_query @ W)


@dataclass(frozen=True)
class Drift(Linear):
    """y_i = W_iᵀx_i with W_{i+1} = ρ·W_i + √(1−ρ²)·s·ε: weights change along the context, their scale does not.

    The queries have the weights W_{N+1}, one change after the last observation.

    Raises:
        ValueError: A field is not positive, or ρ is outside [0, 1].
    """

    persistence: float = 0.95
    """ρ, the correlation of a weight with itself one observation later; 1 is the `Linear` task."""

    def __post_init__(self) -> None:
        require_positive(**{name: value for name, value in vars(self).items() if name != "persistence"})
        if not 0 <= self.persistence <= 1:
            raise ValueError(f"persistence is {self.persistence}; it must be between 0 and 1.")

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`."""
        positions, weights = split_stream(rng, 2)
        x, x_query = uniform_inputs(positions, (tasks, observations, self.inputs), queries, self.input_range)
        steps = weights.standard_normal((tasks, observations + 1, self.inputs * self.outputs))
        path = self.weight_scale * self._accumulation(observations + 1) @ steps
        W = path.reshape(tasks, observations + 1, self.inputs, self.outputs)
        return Batch(x, np.einsum("bnd,bndk->bnk", x, W[:, :-1]), x_query, x_query @ W[:, -1])

    def _accumulation(self, length: int) -> Array:
        """The recurrence unrolled (length, length): row i holds the coefficients of every ε in W_i."""
        moment = np.arange(length)
        age = moment[:, None] - moment
        left = np.where(age >= 0, np.power(self.persistence, np.maximum(age, 0)), 0.0)
        left[:, 1:] *= math.sqrt(1 - self.persistence**2)
        return left


@dataclass(frozen=True)
class Noisy:
    """A task whose observed outputs have noise of a given standard deviation, normal or Student t distributed.

    y_query has none: a loss is about the function, and would be ½σ² higher for every learner otherwise. Predictive
    intervals are about `Batch.observable`, which has it.

    Raises:
        ValueError: The noise is negative, or has so few degrees of freedom that it has no variance.
    """

    task: Task = field(default_factory=Linear)
    """The function, without noise."""
    noise: float = 0.5
    """σ, the standard deviation of the noise."""
    degrees_of_freedom: float = math.inf
    """ν of a scaled Student t distribution; infinite for normal noise."""

    def __post_init__(self) -> None:
        require_not_negative(noise=self.noise)
        require_variance(self.degrees_of_freedom)

    def sample(self, rng: np.random.Generator, tasks: int, observations: int, queries: int) -> Batch:
        """See `Task.sample`; the functions do not depend on the noise."""
        functions, observed = split_stream(rng, 2)
        (queried,) = observed.spawn(1)
        clean = self.task.sample(functions, tasks, observations, queries)
        return replace(
            clean,
            y=clean.y + self._noise(observed, clean.y.shape),
            noisy_y_query=clean.observable + self._noise(queried, clean.y_query.shape),
        )

    def _noise(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        freedom = self.degrees_of_freedom
        if math.isinf(freedom):
            return self.noise * rng.standard_normal(shape)
        return self.noise * math.sqrt((freedom - 2) / freedom) * rng.standard_t(freedom, shape)


def require_variance(degrees_of_freedom: float) -> None:
    """Raise ValueError for a t distribution without a variance."""
    if not degrees_of_freedom > 2:
        raise ValueError(f"degrees_of_freedom is {degrees_of_freedom}; a variance takes more than 2.")
