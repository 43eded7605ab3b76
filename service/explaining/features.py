"""The features that a model with a readout makes of queries and observations, in numpy.

The same equations as in the graph (`gdssm.feature_map`, `gdssm.evidence_average`); a test compares the two.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from gdssm.feature_plan import FeaturePlan
from gdssm.prior import BEND, FURTHEST
from service.levels import Levels
from service.shapes import Array
from service.wide_readout import effective_count, varying

PRODUCT = -1
"""In place of a column, for features of two columns."""
NUMBERS_AT_ONCE = 2**22
"""Features that are made at a time: 32 MiB."""


class Features(NamedTuple):
    """What features are made with; E of them: D columns, G indicators (0 or D), A additive ones, P products."""

    mean: Array
    """Of the cells of x that are there, (D,)."""
    reach: Array
    """How far from the mean a query counts, (D,)."""
    present: Array
    """The share of the cells that are there, (G,)."""
    center: Array
    """(D,)"""
    unit: Array
    """1/spread, and 0 for 0; (D,)."""
    furthest: float
    """Spreads from the center beyond which features do not change."""
    additive: Array
    """Column, sharpness and knot of each (A, 3)."""
    pairs: Array
    """The two columns of each (P, 2)."""
    feature_mean: Array
    """(A + P,)"""

    @classmethod
    def of(cls, plan: FeaturePlan, state: Mapping[str, Array], outputs: int, levels: Levels = ()) -> "Features":
        """Read them off the state of one context.

        Args:
            plan: Of the model.
            state: By input name, without the axis of contexts.
            outputs: K.
            levels: Which columns of x are levels of categories.
        """
        mean, count, effective = state["state.mean"][outputs:], float(state["state.count"]), effective_count(state)
        inputs = len(mean)
        tables = plan.tables(inputs, len(state["state.present"]), levels)
        deviation = np.sqrt(varying(state)[outputs : outputs + inputs] / count)
        spread = state.get("state.spread", np.zeros(inputs))
        reach = 1.0 + np.sqrt(max(effective - 1.0, 0.0))
        return cls(
            mean,
            reach * deviation,
            state["state.present"],
            state.get("state.center", np.zeros(inputs)),
            np.divide(1.0, spread, out=np.zeros(inputs), where=spread > 0),
            FURTHEST if state.get("state.frozen", 0.0) > 0 else min(FURTHEST, float(reach)),
            tables["additive"],
            tables["pairs"].astype(int),
            state.get("state.feature_mean", np.zeros(0)),
        )

    @property
    def column(self) -> Array:
        """The column of x that each feature is of (E,), or PRODUCT."""
        columns, products = np.arange(len(self.mean)), np.full(len(self.pairs), PRODUCT)
        return np.concatenate([columns, columns[: len(self.present)], self.additive[:, 0].astype(int), products])

    def of_queries(self, x: Array) -> Array:
        """Make the features (M, E) of queries (M, D), less their means; NaN is a missing cell."""
        return self._made(x, np.clip(x - self.mean, -self.reach, self.reach))

    def of_observations(self, x: Array) -> Iterator[Array]:
        """Make those of observations (N, D), in pieces of bounded size: they count however far out they lie."""
        size = max(1, NUMBERS_AT_ONCE // len(self.column))
        for start in range(0, len(x), size):
            piece = x[start : start + size]
            yield self._made(piece, piece - self.mean)

    def _made(self, x: Array, offset: Array) -> Array:
        there = ~np.isnan(x)
        z = np.where(there, x - self.center, 0.0) * self.unit
        z = z.clip(-self.furthest, self.furthest)
        column, sharpness, knot = self.additive.T
        steps = np.tanh(sharpness * (z[:, column.astype(int)] - knot))
        bent = BEND * np.tanh(z / BEND)
        products = bent[:, self.pairs[:, 0]] * bent[:, self.pairs[:, 1]]
        made = np.concatenate([steps, products], 1) - self.feature_mean
        indicators = there[:, : len(self.present)] - self.present
        return np.concatenate([np.where(there, offset, 0.0), indicators, made], 1)
