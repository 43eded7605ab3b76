"""Nothing at all."""

from dataclasses import dataclass

import numpy as np

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_context


@dataclass(frozen=True)
class Zero:
    """Predict zero: what a learner that has not moved from W₀ = 0 says."""

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """Answer the queries, as `Learner.predict` says."""
        require_context(x, y, x_query)
        return np.zeros((*x_query.shape[:2], y.shape[2]))
