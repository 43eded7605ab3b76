"""Any learner, given features of x instead of x."""

from collections.abc import Callable
from dataclasses import dataclass

from gdssm.evaluation.arrays import Array
from gdssm.evaluation.checks import require_context
from gdssm.evaluation.learners.learner import Learner


@dataclass(frozen=True)
class OnFeatures:
    """A learner behind a fixed feature map: what the paper's non-linear model is, if its map were given."""

    learner: Learner
    """Who learns from the features."""
    features: Callable[[Array], Array]
    """From inputs (B, N, D) to features (B, N, F)."""

    def predict(self, x: Array, y: Array, x_query: Array) -> Array:
        """Answer the queries, as `Learner.predict` says."""
        require_context(x, y, x_query)
        return self.learner.predict(self.features(x), y, self.features(x_query))
