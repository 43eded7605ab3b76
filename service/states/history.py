"""Observations of a request, and what the sums of a context do not say about those that went into it.

A column whose variation has cancelled to nothing is constant, or has lost all digits: the sums look the same. So the
values of a column are kept while there are no more than two of them (a dummy, a constant and a mistake), and of the
weights what shows that a single observation is left.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from service.inference.checks import LARGEST_VALUE
from service.inference.sizes import Array


@dataclass(eq=False)
class Rows:
    """Observations, and what a request calls them."""

    x: Array
    """(N, D); NaN where a cell is missing."""
    y: Array
    """(N, K)."""
    sent_weight: Array | None = None
    """(N,); None for ones."""
    y_is_1d: bool = False
    """Whether y came as numbers rather than rows."""
    at: str = ""
    """Where they stand in the request."""
    unnumbered: bool = False
    """Whether the request has one observation rather than a list."""
    start: int = 0
    """The number of the first of them there."""

    @cached_property
    def values(self) -> Array:
        """(N, C) [y, x]."""
        return np.concatenate([self.y, self.x], 1)

    @cached_property
    def weight(self) -> Array:
        """(N,)."""
        return np.ones(len(self.x)) if self.sent_weight is None else self.sent_weight

    def counted_values(self) -> Array:
        """(N, C) without rows of weight 0."""
        return self.values if self.sent_weight is None else self.values[self.sent_weight != 0]

    @property
    def outputs(self) -> int:
        """K."""
        width: int = self.y.shape[1]
        return width

    @cached_property
    def absolute_weight_sum(self) -> float:
        """The sum of the sizes of the weights."""
        return float(len(self.x)) if self.sent_weight is None else float(np.abs(self.sent_weight).sum())

    @cached_property
    def takes_out(self) -> bool:
        """Whether a weight is negative."""
        return self.sent_weight is not None and bool(self.sent_weight.min() < 0)

    def cell(self, row: int, column: int) -> str:
        """Name a cell as the request does."""
        place = "" if self.unnumbered else f"[{self.start + row}]"
        if column >= self.outputs:
            return f"{self.at}x{place}[{column - self.outputs}]"
        return f"{self.at}y{place}" + ("" if self.y_is_1d else f"[{column}]")

    def weight_at(self, row: int) -> str:
        """Name a weight as the request does."""
        return f"{self.at}weight" + ("" if self.unnumbered else f"[{self.start + row}]")


AT_ONCE = 64
"""Rows in which a column of numbers usually shows more than two values."""
LARGEST = 1e300
"""Sums of squares are no larger here, so that none is infinite."""
SAME = 1e-9
"""Relative difference of two sums of weights that is rounding."""


class History(NamedTuple):
    """Of the observations since the context was last empty; by default of none."""

    rows: int = 0
    """Observations whose weight was not 0."""
    squares: float = 0.0
    """Σ weight·|weight|: the square of the count where a single observation is left."""
    gross_squares: float = 0.0
    """Σ of the sizes of what the weights add to `state.count_of_squares`: what its rounding is relative to."""
    least_weight: float = 0.0
    """The smallest |weight| that is not 0; 0 before the first."""
    levels: Array | None = None
    """(2, C) the values of each column of [y, x]: NaN where there is none yet, and ∞ in the second row where there are
    more than two; None if that is so everywhere."""
    sums: Array | None = None
    """(2, C) Σ weight·value² of each column and the largest that it has been, for states that do not have it."""
    digits: int | None = None
    """Fewest significant digits to which a column was brought by an observation that was meant to."""

    @classmethod
    def new(cls, columns: int, *, sums: bool) -> Self:
        """Start without an observation of C columns; `sums` for states without a variation."""
        return cls(levels=np.full((2, columns), np.nan), sums=np.zeros((2, columns)) if sums else None)

    def is_single(self, count: float) -> bool:
        """Whether the remaining weights, of sum `count`, are those of one observation."""
        return abs(self.squares - count * abs(count)) <= SAME * count * count

    def with_rows(self, rows: Rows) -> "History":
        """Add observations."""
        size = rows.sent_weight
        if size is not None:
            size = np.abs(size[size != 0])
            if not len(size):
                return self
        least = 1.0 if size is None else float(size.min())
        return History(
            self.rows + (len(rows.x) if size is None else len(size)),
            _bounded(self.squares + (len(rows.x) if size is None else _sum_of_squares(rows.weight))),
            _bounded(self.gross_squares + (len(rows.x) if size is None else _gross_squares(size))),
            min(self.least_weight or least, least),
            None if self.levels is None else _with_values(self.levels, rows.counted_values()),
            None if self.sums is None else _with_squares(self.sums, rows.values, rows.weight),
            self.digits,
        )

    def with_other(self, other: "History") -> "History":
        """Add the observations of another context."""
        levels = None
        if self.levels is not None and other.levels is not None:
            levels = _with_values(self.levels, other.levels)
        sums = None
        if self.sums is not None and other.sums is not None:
            variation = self.sums[0] + other.sums[0]
            sums = np.stack([variation, np.maximum.reduce([self.sums[1], other.sums[1], variation])])
        least = [weight for weight in (self.least_weight, other.least_weight) if weight]
        digits = [digits for digits in (self.digits, other.digits) if digits is not None]
        return History(
            self.rows + other.rows,
            _bounded(self.squares + other.squares),
            _bounded(self.gross_squares + other.gross_squares),
            min(least, default=0.0),
            levels,
            sums,
            min(digits, default=None),
        )

    def with_zeros(self, columns: int) -> "History":
        """Add columns of x that were 0 in all observations."""
        if self.levels is None and self.sums is None:
            return self
        zeros = np.zeros((2, columns))
        levels, sums = self.levels, self.sums
        if levels is not None:
            new = np.array([[0.0 if self.rows else np.nan], [np.nan]])
            levels = np.concatenate([levels, np.repeat(new, columns, 1)], 1)
        return self._replace(levels=levels, sums=None if sums is None else np.concatenate([sums, zeros], 1))

    def gaps(self, columns: int) -> Array:
        """Find by how much the values of each column differ: (C,); 0 where there are fewer than two, NaN for more.

        Of plain sums, which vary where a value is not 0: by how much they differ from 0, NaN where none is 0.
        """
        if self.levels is None:
            return np.full(columns, np.nan)
        first, second = self.levels
        if self.sums is not None:
            size = np.fmax(np.abs(first), np.abs(second))
            return np.where(np.isinf(second) | (np.fmin(np.abs(first), np.abs(second)) > 0), np.nan, np.fmax(size, 0.0))
        gap: Array = np.where(np.isnan(second), 0.0, np.abs(second - first))
        return np.where(np.isinf(second), np.nan, gap)


def _bounded(squares: float) -> float:
    return max(-LARGEST, min(squares, LARGEST))


def _sum_of_squares(weight: Array) -> float:
    with np.errstate(over="ignore"):
        return float(np.clip(weight * np.abs(weight), -LARGEST, LARGEST).sum())


def _gross_squares(size: Array) -> float:
    with np.errstate(over="ignore"):
        return float(np.minimum(np.where(size == np.floor(size), size, np.square(size)), LARGEST).sum())


def _with_squares(sums: Array, rows: Array, weight: Array) -> Array:
    """Add observations to sums of squares and their peaks."""
    with np.errstate(over="ignore"):
        squares = np.minimum(np.square(rows), LARGEST)
        change = weight @ squares
        gross = sums[0] + (change if weight.min() >= 0 else np.abs(weight) @ squares)
    changed: Array = np.clip([sums[0] + change, np.maximum(sums[1], gross)], -LARGEST, LARGEST)
    return changed


def _with_values(levels: Array, rows: Array) -> Array | None:
    """Add values (N, C) to those of each column; ∞ stands for more than two."""
    for start in range(0, len(rows), AT_ONCE):
        first, second = levels
        block = rows[start : start + AT_ONCE]
        known = (block == first) | (block == second) | (second == np.inf)
        if 0 not in known.tobytes():
            continue
        first = np.where(np.isnan(first), _first_where(~np.isnan(block), block), first)
        differs = ~np.isnan(block) & (block != first)
        second = np.where(np.isnan(second), _first_where(differs, block), second)
        second = np.where((differs & (block != second)).any(0), np.inf, second)
        if np.isinf(second).all():
            return None
        levels = np.stack([first, second])
    return levels


def _first_where(condition: Array, rows: Array) -> Array:
    """Take the first value (C,) of each column for which a condition (N, C) holds; NaN where there is none."""
    found: Array = rows[condition.argmax(0), np.arange(rows.shape[1])]
    return np.where(condition.any(0), found, np.nan)


class HistoryHeader(BaseModel):
    """A history as JSON; see `History` for the names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    rows: int = Field(ge=0)
    squares: float
    gross_squares: float = Field(ge=0)
    least_weight: float = Field(ge=0)
    levels: tuple[tuple[float, ...] | None, ...] | None
    """For each column its values; null where there are more than two."""
    sums: tuple[tuple[float, ...], tuple[float, ...]] | None
    digits: int | None = Field(ge=0)

    def history(self, columns: int) -> History:
        """Read it again.

        Args:
            columns: C.

        Raises:
            ValueError: It is of other columns, or a column has more than two values.
        """
        levels = None if self.levels is None else np.array([_padded(values) for values in self.levels]).reshape(-1, 2).T
        sums = None if self.sums is None else np.array(self.sums)
        for array in (levels, sums):
            if array is not None and array.shape != (2, columns):
                raise ValueError(f"a history of {array.shape[1]} columns")
        if levels is not None and (np.abs(levels[np.isfinite(levels)]) > LARGEST_VALUE).any():
            raise ValueError(f"a history of values beyond {LARGEST_VALUE:g}")
        return History(self.rows, self.squares, self.gross_squares, self.least_weight, levels, sums, self.digits)


def history_fields(history: History) -> dict[str, Any]:
    """Return the fields of a `HistoryHeader`."""
    levels, sums = history.levels, history.sums
    return {
        "rows": history.rows,
        "squares": history.squares,
        "gross_squares": history.gross_squares,
        "least_weight": history.least_weight,
        "levels": None if levels is None else tuple(map(_known, levels.T.tolist())),
        "sums": None if sums is None else (tuple(sums[0].tolist()), tuple(sums[1].tolist())),
        "digits": history.digits,
    }


def _known(values: list[float]) -> tuple[float, ...] | None:
    return None if values[1] == np.inf else tuple(value for value in values if value == value)  # noqa: PLR0124  (NaN)


def _padded(values: tuple[float, ...] | None) -> list[float]:
    if values is None:
        return [np.nan, np.inf]
    if len(values) > 2:
        raise ValueError("more than two values")
    return [*values, np.nan, np.nan][:2]
