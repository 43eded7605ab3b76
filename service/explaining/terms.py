"""The terms that a prediction is the sum of: a base, the effect of each column, and pairs of columns.

prediction = base + Σ effect of column j at x_j (or of its missing cell) + Σ weight·(t(z_i)·t(z_j) − its mean)

All numbers are in units of y, and have an axis of K outputs at the end where y is rows.
"""

from dataclasses import dataclass

from service.shapes import Array


@dataclass(frozen=True, eq=False)
class Effect:
    """What one column of x adds to predictions, at some of its values; its mean over the context is 0."""

    values: Array
    """(G,), rising."""
    effect: Array
    """(G,) or (G, K)."""
    strength: Array
    """Its standard deviation over the context; () or (K,)."""
    missing: Array | None = None
    """What a missing cell adds, where the context has any; () or (K,)."""
    lower: Array | None = None
    """Of the interval that was asked for, in the shape of `effect`; NaN after a single observation."""
    upper: Array | None = None


@dataclass(frozen=True, eq=False)
class Effects:
    """What predictions are made of, apart from pairs."""

    base: Array
    """The mean of y; () or (K,)."""
    columns: tuple[Effect, ...]
    """One for each column of x."""


@dataclass(frozen=True, eq=False)
class Pair:
    """What the product of two columns adds to predictions."""

    columns: tuple[int, int]
    """From 0."""
    strength: Array
    """The standard deviation over the context of what it adds; () or (K,)."""
    weight: Array
    """It adds weight·(t(z_i)·t(z_j) − mean), with standardised columns z and t(z) = 2.5·tanh(z/2.5); () or (K,)."""


@dataclass(frozen=True, eq=False)
class Block:
    """What one block of features has in the evidence and in predictions."""

    block: str
    """linear, indicators, levels, additive_5 (five knots for each column) and the like, or pairs."""
    probability: Array
    """That the block is in the model: of the groups of features that have it, by evidence; () or (K,)."""
    strength: Array
    """The standard deviation over the context of what it adds; () or (K,)."""


@dataclass(frozen=True)
class ImplicitWeights:
    """prediction = x_query @ weights + intercept, in the caller's units; within reach, for models with a readout."""

    weights: Array
    """(D, K), or (D,) where y is numbers."""
    intercept: Array
    """(K,), or () where y is numbers."""


@dataclass(frozen=True)
class Explanation:
    """Why predictions are as they are; parts that were not requested are None."""

    implicit_weights: ImplicitWeights | None = None
    contributions: Array | None = None
    """(M, N), or (M, N, K) where y is rows: how much each observation adds to each prediction, in units of y."""
    effects: Effects | None = None
    pairs: tuple[Pair, ...] | None = None
    """The strongest first."""
    blocks: tuple[Block, ...] | None = None

    @property
    def weights(self) -> Array | None:
        """Those of the linear model, (D,), or (D, K) where y is rows."""
        return None if self.implicit_weights is None else self.implicit_weights.weights

    @property
    def intercept(self) -> Array | None:
        """That of the linear model, (), or (K,)."""
        return None if self.implicit_weights is None else self.implicit_weights.intercept
