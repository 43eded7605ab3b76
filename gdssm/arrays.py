"""The numpy array type and the order of its axes.

B tasks, N observations of each, M queries, D inputs, K outputs: x (B, N, D), y (B, N, K), x_query (B, M, D), y_query
and predictions (B, M, K), linear weights (B, D, K).
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
"""Double precision of any shape."""

FloatArray: TypeAlias = npt.NDArray[np.floating]
"""Any floating-point precision and shape."""
