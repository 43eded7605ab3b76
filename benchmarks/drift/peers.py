"""river's adaptive linear models, behind its scalers of x and of y: one of them has no intercept."""

from collections.abc import Callable
from typing import Any

import numpy as np
from river import linear_model, optim
from river.preprocessing import StandardScaler, TargetStandardScaler

from benchmarks.drift.streams import Array, Stream

PEERS: dict[str, Callable[[], Any]] = {
    "LinearRegression, SGD 0.01": linear_model.LinearRegression,
    "LinearRegression, Adam 0.1": lambda: linear_model.LinearRegression(optimizer=optim.Adam(0.1)),
    "PARegressor": lambda: linear_model.PARegressor(C=0.1, eps=0.0),  # type: ignore[no-untyped-call]
    "BayesianLinearRegression, 0.98": lambda: linear_model.BayesianLinearRegression(smoothing=0.98),
    "BayesianLinearRegression, 0.9": lambda: linear_model.BayesianLinearRegression(smoothing=0.9),
}
"""The number of the last two is how much of its estimates river leaves after one more observation."""


def errors(make: Callable[[], Any], stream: Stream) -> Array:
    """Predict every observation, then learn it: errors (S, N)."""
    error = np.full(stream.y.shape, np.nan)
    for number, (rows, targets) in enumerate(zip(stream.x, stream.y, strict=True)):
        model = StandardScaler() | TargetStandardScaler(regressor=make())
        for row, (values, y) in enumerate(zip(rows.tolist(), targets.tolist(), strict=True)):
            x = dict(enumerate(values))
            error[number, row] = y - model.predict_one(x)
            model.learn_one(x, y)
    return error
