"""The features of a non-linear model for D columns, as tables of numbers; no torch.

The features of a column z (standardised) are tanh(sharpness·(z − knot)) at several knots, and products of two columns.
Their number depends on D, so that a state stays small: few columns have more knots. The tables are inputs of the graph,
so one graph serves every D.

A column is a number, or a level of a one-hot encoded category. Levels have no features; they are one block.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gdssm.arrays import Array
from gdssm.prior import INDICATORS, LEVELS, NUMBERS

INDICATOR_SHARE = 0.15
"""Share of the indicators in the prior variance, relative to all other features."""
LEVEL_SHARE = 0.3
"""Share of the levels if there are numbers too; numbers and their features have the rest."""


@dataclass(frozen=True)
class Knots:
    """A block of additive features with the same knots for every column."""

    places: tuple[float, ...]
    sharpness: float

    def count(self, columns: int) -> int:
        """Count its features."""
        return columns * len(self.places)


@dataclass(frozen=True)
class Pairs:
    """A block of products of two different columns."""

    kind: Literal["pairs"] = "pairs"

    def count(self, columns: int) -> int:
        """Count its features."""
        return columns * (columns - 1) // 2


Block = Knots | Pairs


@dataclass(frozen=True)
class Band:
    """The features for 1 to `columns` number columns."""

    columns: int | None
    """None: any number."""
    blocks: tuple[Block, ...]
    groups: tuple[tuple[float, ...], ...]
    """For each group of features, the shares of the columns themselves and of each block in the prior."""


@dataclass(frozen=True)
class FeaturePlan:
    """The features of a model for every number of columns."""

    bands: tuple[Band, ...]
    groups: int
    """Number of groups in the graph; a band with fewer leaves the others empty."""

    @cached_property
    def makes_features(self) -> bool:
        """Whether there are features other than the columns themselves, for any D."""
        return any(band.blocks for band in self.bands)

    @property
    def axis(self) -> str:
        """The axis of all features: D columns, G indicators, A additive features and P products."""
        return "D+G+A+P" if self.makes_features else "D+G"

    def band(self, numbers: int) -> Band:
        """Return the band for a number of number columns; without features for 0."""
        return next(band for band in self.bands if band.columns is None or 0 < numbers <= band.columns)

    def sizes(self, numbers: int) -> dict[str, int]:
        """Return the numbers A of additive features and P of products of the number columns."""
        blocks = self.band(numbers).blocks
        pairs = sum(block.count(numbers) for block in blocks if isinstance(block, Pairs))
        return {"A": sum(block.count(numbers) for block in blocks) - pairs, "P": pairs}

    def tables(self, columns: int, indicators: int, levels: Collection[int] = ()) -> dict[str, Array]:
        """Make the tables of a graph.

        Args:
            columns: D.
            indicators: G, 0 or D.
            levels: Indices of the columns that are levels; the others are numbers.

        Returns:
            additive (A, 3): column, sharpness and knot of each feature; pairs (P, 2): the two columns; block (E,): the
            block of each of E = D + G + A + P features, in this order; group.0, group.1 …: the shares of the first
            features of each group.
        """
        numbers = sorted({*range(columns)} - {*levels})
        band = self.band(len(numbers))
        knots = [block for block in band.blocks if isinstance(block, Knots)]
        additive = [
            (float(column), block.sharpness, place) for block in knots for column in numbers for place in block.places
        ]
        pairs = list(combinations(numbers, 2)) if any(isinstance(b, Pairs) for b in band.blocks) else []
        order: list[Block] = [*knots, *(block for block in band.blocks if isinstance(block, Pairs))]
        counts = [columns, indicators, *(block.count(len(numbers)) for block in order)]
        block = np.repeat([NUMBERS, INDICATORS, *range(LEVELS + 1, LEVELS + 1 + len(order))], counts)
        block[list(levels)] = LEVELS
        places = [0, *(band.blocks.index(block) + 1 for block in order)]
        rows = [[row[place] for place in places] for row in band.groups]
        share = 0.0 if not levels else LEVEL_SHARE if numbers else 1.0
        tables = {
            "additive": np.array(additive, float).reshape(-1, 3),
            "pairs": np.array(pairs, float).reshape(-1, 2),
            "block": block.astype(float),
        }
        for number in range(self.groups):
            found = _shares(rows[number], block, share) if number < len(rows) else np.zeros(1)
            tables[f"group.{number}"] = found
        return tables


def _shares(row: Sequence[float], block: NDArray[np.integer], of_levels: float) -> Array:
    """The share of each feature's block (E,), up to the last block with a share; `row` has them without levels."""
    own, *others = ((1.0 - of_levels) * share for share in row)
    by_block = np.array([own, INDICATOR_SHARE, of_levels, *others])
    used = max(LEVELS, *np.flatnonzero(by_block).tolist())
    found: Array = by_block[block[block <= used]]
    return found


def _even(count: int, sharpness: float, end: float = 2.2) -> Knots:
    return Knots(tuple(np.linspace(-end, end, count).round(6).tolist()), sharpness)


FIVE = Knots((-1.4, -0.65, 0.0, 0.65, 1.4), 1.6)
TWELVE, TWENTY_FOUR = _even(12, 3.0), _even(24, 6.0)
PAIRS = Pairs()

LINEAR = FeaturePlan((Band(None, (), ((1.0,),)),), groups=1)
"""The columns alone."""

NONLINEAR = FeaturePlan(
    (
        Band(
            1,
            (FIVE, TWELVE, TWENTY_FOUR),
            ((1.0, 0.0, 0.0, 0.0), (0.4, 0.6, 0.0, 0.0), (0.3, 0.0, 0.7, 0.0), (0.1, 0.0, 0.0, 0.9)),
        ),
        Band(
            4,
            (FIVE, PAIRS, TWELVE),
            ((1.0, 0.0, 0.0, 0.0), (0.4, 0.6, 0.0, 0.0), (0.3, 0.4, 0.3, 0.0), (0.2, 0.0, 0.2, 0.6)),
        ),
        Band(13, (FIVE, PAIRS), ((1.0, 0.0, 0.0), (0.4, 0.6, 0.0), (0.3, 0.4, 0.3))),
        Band(28, (FIVE,), ((1.0, 0.0), (0.4, 0.6))),
        Band(40, (Knots((-1.0, 0.0, 1.0), 1.2),), ((1.0, 0.0), (0.4, 0.6))),
        Band(64, (Knots((-0.7, 0.7), 1.2),), ((1.0, 0.0), (0.4, 0.6))),
        Band(None, (), ((1.0,),)),
    ),
    groups=4,
)
"""The columns, smooth steps of each, and products of two."""
