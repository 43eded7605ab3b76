"""river's adaptive linear models, behind its StandardScaler, as its documentation builds them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from river import linear_model, optim
from river.preprocessing import StandardScaler

from benchmarks.drift.streams import Array, Stream

PEERS: dict[str, Callable[[], Any]] = {
    "river LinearRegression, SGD 0.01": linear_model.LinearRegression,
    "river LinearRegression, SGD 0.1": lambda: linear_model.LinearRegression(optimizer=optim.SGD(0.1)),
    "river LinearRegression, Adam": lambda: linear_model.LinearRegression(optimizer=optim.Adam(0.1)),
    "river PARegressor": lambda: linear_model.PARegressor(C=0.1, eps=0.0),  # type: ignore[no-untyped-call]
    "river BayesianLinearRegression, 0.98": lambda: linear_model.BayesianLinearRegression(smoothing=0.98),
}


def errors(make: Callable[[], Any], stream: Stream) -> Array:
    """Predict every observation, then learn it: errors (S, N)."""
    error = np.full(stream.y.shape, np.nan)
    for number, (rows, targets) in enumerate(zip(stream.x, stream.y, strict=True)):
        model = StandardScaler() | make()
        for row, (values, y) in enumerate(zip(rows.tolist(), targets.tolist(), strict=True)):
            x = dict(enumerate(values))
            error[number, row] = y - model.predict_one(x)
            model.learn_one(x, y)
    return error
