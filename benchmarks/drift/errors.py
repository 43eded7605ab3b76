"""Errors when every observation is predicted before it is learnt: fixed factors, decay auto, and river's models.

river's models run behind its scalers of x and of y: one of them has no intercept.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from river import linear_model, optim
from river.preprocessing import StandardScaler, TargetStandardScaler

from benchmarks.drift.streams import Array, Stream
from service.contexts.forgetting import fade, faded_squares
from service.contexts.learning import learn
from service.contexts.state import answer, new_state
from service.contexts.tensors import SQUARES, State
from service.inference.checks import Limits
from service.inference.distribution import Wanted
from service.inference.predictor import Observations, run
from service.inference.runtime import Runtime

FIXED = np.array([1.0, 0.999, 0.998, 0.995, 0.99, 0.98, 0.97, 0.95, 0.93, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5])
"""Finer than the factors of decay auto, so that their best is a demanding comparison."""
LEVEL = 0.9
LIMITS = Limits(sys.maxsize, sys.maxsize, sys.maxsize)
PEERS: dict[str, Callable[[], Any]] = {
    "LinearRegression, SGD 0.01": linear_model.LinearRegression,
    "LinearRegression, Adam 0.1": lambda: linear_model.LinearRegression(optimizer=optim.Adam(0.1)),
    "PARegressor": lambda: linear_model.PARegressor(C=0.1, eps=0.0),  # type: ignore[no-untyped-call]
    "BayesianLinearRegression, 0.98": lambda: linear_model.BayesianLinearRegression(smoothing=0.98),
    "BayesianLinearRegression, 0.9": lambda: linear_model.BayesianLinearRegression(smoothing=0.9),
}
"""The number of the last two is the share of its estimates that remains after one more observation."""


class Auto(NamedTuple):
    """Predictions with decay auto; none at the first row."""

    error: Array
    """(S, N)."""
    inside: Array
    """(S, N): whether the interval of LEVEL covers y."""


def fixed(runtime: Runtime, stream: Stream) -> Array:
    """Predict with every fixed factor: errors (F, S, N), as one batch of contexts."""
    factors, (runs, rows) = len(FIXED), stream.y.shape
    x, y = (np.tile(part, (factors, *[1] * (part.ndim - 1))) for part in (stream.x, stream.y))
    decay, error = np.repeat(FIXED, runs), np.full(y.shape, np.nan)
    state: State = {}
    go, ones = partial(run, runtime, parameters={}), np.ones((len(y), 1))
    for row in range(rows):
        new = {"x": x[:, row : row + 1], "y": y[:, row : row + 1, None], "weight": ones}
        if state:
            found = go({**state, "x_query": new["x"], "want_scale": np.zeros(())})
            error[:, row] = y[:, row] - found["prediction"][:, 0, 0]
            state = fade(runtime.manifest, state, decay)
        squares = state.get(SQUARES, 0.0) + faded_squares(None, ones)
        state = runtime.state_after(go({**state, **new})) | {SQUARES: squares}
    return error.reshape(factors, runs, rows)


def auto(runtime: Runtime, stream: Stream) -> Auto:
    """Predict with decay auto, run by run, as a context of the service does."""
    each = [_one(runtime, x, y) for x, y in zip(stream.x, stream.y, strict=True)]
    return Auto(*map(np.stack, zip(*each, strict=True)))


def _one(runtime: Runtime, x: Array, y: Array) -> Auto:
    memory = new_state(runtime.manifest, "auto")
    error, inside = np.full(len(y), np.nan), np.full(len(y), np.nan)
    for row in range(len(y)):
        if row:
            found = answer(runtime, LIMITS, memory, x[row : row + 1], wanted=Wanted(LEVEL))
            error[row] = y[row] - found.prediction[0]
            assert found.lower is not None  # noqa: S101
            assert found.upper is not None  # noqa: S101
            inside[row] = found.lower[0] <= y[row] <= found.upper[0]
        memory = learn(runtime, LIMITS, memory, Observations(x[row : row + 1], y[row : row + 1]))
    return Auto(error, inside)


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
