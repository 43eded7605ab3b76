"""Observations, and what a request calls them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

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
