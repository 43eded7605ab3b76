"""The parts of an explanation. A prediction is the sum of a base, the effects of columns, and pairs of columns.

prediction = base + Σ effect of column j at x_j (or of its missing cell) + Σ weight·(t(z_i)·t(z_j) − its mean)

All numbers are in units of y, with a last axis of K outputs where y is rows.
"""

from dataclasses import dataclass
from typing import Literal

from service.errors import InvalidInput, Problem
from service.inference.sizes import Array
from service.numbers import describe

Part = Literal["implicit_weights", "contributions", "effects", "pairs", "blocks"]
PARTS: tuple[Part, ...] = ("implicit_weights", "contributions", "effects", "pairs", "blocks")
"""All together stand for the parts that the model has."""
TERMS: frozenset[Part] = frozenset({"effects", "pairs", "blocks"})


def parts(value: object, name: str) -> tuple[Part, ...]:
    """Read the value of `explain`: true for all parts, false or null for none, or a list of names.

    Raises:
        InvalidInput: It is none of these.
    """
    if value is None or isinstance(value, bool):
        return PARTS if value else ()
    if not isinstance(value, list) or not all(part in PARTS for part in value):
        names = ", ".join(f'"{part}"' for part in PARTS)
        other = next((part for part in value if part not in PARTS), None) if isinstance(value, list) else value
        what = "this has" if isinstance(value, list) else "this is"
        raise InvalidInput(Problem(name, f"must be true, false or a list of {names}; {what} {describe(other)}."))
    return tuple(part for part in PARTS if part in value)


@dataclass(frozen=True, eq=False)
class Effect:
    """The effect of one column of x on predictions, at some values; its mean over the context is 0."""

    values: Array
    """(G,), increasing."""
    effect: Array
    """(G,) or (G, K)."""
    strength: Array
    """Its standard deviation over the context; () or (K,)."""
    missing: Array | None = None
    """The effect of a missing cell, if the context has any; () or (K,)."""
    lower: Array | None = None
    """The lower bound, if an interval was requested, in the shape of `effect`; NaN after a single observation."""
    upper: Array | None = None


@dataclass(frozen=True, eq=False)
class Effects:
    """The additive part of predictions, without pairs."""

    base: Array
    """The mean of y; () or (K,)."""
    columns: tuple[Effect, ...]
    """One for each column of x."""


@dataclass(frozen=True, eq=False)
class Pair:
    """The effect of the product of two columns on predictions."""

    columns: tuple[int, int]
    """From 0."""
    strength: Array
    """The standard deviation of the effect over the context; () or (K,)."""
    weight: Array
    """() or (K,): the effect is weight·(t(z_i)·t(z_j) − mean), with standardised z and t(z) = 2.5·tanh(z/2.5)."""


@dataclass(frozen=True, eq=False)
class Block:
    """The probability and the strength of one block of features."""

    block: str
    """linear, indicators, levels, additive_5 (five knots for each column) and the like, or pairs."""
    probability: Array
    """The probability, by evidence, of the groups of features with this block; () or (K,)."""
    strength: Array
    """The standard deviation of the effect over the context; () or (K,)."""


@dataclass(frozen=True)
class ImplicitWeights:
    """prediction = x_query @ weights + intercept, in the caller's units; for queries that are not clipped."""

    weights: Array
    """(D, K), or (D,) where y is numbers."""
    intercept: Array
    """(K,), or () where y is numbers."""


@dataclass(frozen=True)
class Explanation:
    """An explanation; parts that were not requested are None."""

    implicit_weights: ImplicitWeights | None = None
    contributions: Array | None = None
    """(M, N), or (M, N, K) where y is rows: the contribution of each observation to each prediction."""
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
