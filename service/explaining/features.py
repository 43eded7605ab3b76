"""The features of queries and observations in a model with a readout, in numpy.

The same equations as in the graph (`gdssm.feature_map`, `gdssm.evidence_average`); a test compares the two.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from gdssm.feature_plan import FeaturePlan
from gdssm.prior import BEND, FURTHEST
from service.inference.sizes import Array
from service.inference.wide_readout import effective_count, varying
from service.levels import Levels

PRODUCT = -1
"""Instead of a column, for features of two columns."""
PIECE_NUMBERS = 2**22
"""Features computed at a time: 32 MiB."""


class Features(NamedTuple):
    """Parameters of E features: D columns, G indicators (0 or D), A additive ones, P products."""

    mean: Array
    """Of the present cells of x, (D,)."""
    reach: Array
    """Distance from the mean at which queries are clipped, (D,)."""
    present: Array
    """The share of present cells, (G,)."""
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
        """Derive them from the state of one context.

        Args:
            plan: Of the model.
            state: By input name, without the axis of contexts.
            outputs: K.
            levels: The columns of x that are levels of categories.
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
        """The column of x of each feature (E,), or PRODUCT."""
        columns, products = np.arange(len(self.mean)), np.full(len(self.pairs), PRODUCT)
        return np.concatenate([columns, columns[: len(self.present)], self.additive[:, 0].astype(int), products])

    def of_queries(self, x: Array) -> Array:
        """Compute the features (M, E) of queries (M, D), minus their means; NaN is a missing cell."""
        return self._made(x, np.clip(x - self.mean, -self.reach, self.reach))

    def of_observations(self, x: Array) -> Iterator[Array]:
        """Compute those of observations (N, D), which are not clipped, in pieces of bounded size."""
        size = max(1, PIECE_NUMBERS // len(self.column))
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
