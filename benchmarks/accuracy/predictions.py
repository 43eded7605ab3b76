"""What a contestant returns for the test rows of a split."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Prediction:
    """A prediction for m rows.

    Attributes:
        value: (m,) means for regression; (m, C) probabilities for classification.
        scale: (m,) scales of a predictive t distribution around the mean, in the units of y, if there is one.
        degrees_of_freedom: Of that distribution; infinity is the normal distribution.
    """

    value: NDArray[np.float64]
    scale: NDArray[np.float64] | None = None
    degrees_of_freedom: float = np.inf
