"""The models `gd-1`, `gd-8` and both versions of `linear` in numpy, for one context: state in, state out."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from service.inference.sizes import Array
from service.inference.wide_readout import wide_readout

State = tuple[Array, ...]
"""In the order of the graph's outputs, without their batch axis."""
Data = Mapping[str, Array]
"""x (N, D), y (N, K) and weight (N,), or none of them; x_query (M, D)."""
CELLS = tuple(f"state.{name}" for name in ("count", "count_of_squares", "mean", "present", "comoment", "peak"))
"""The state of `linear`."""
Model = Callable[[State, Data], tuple[Array, State]]
"""From a state and data to the prediction (M, K) and the state after."""


def gradient_descent(steps: int, state: State, data: Data) -> tuple[Array, State]:
    """Take gradient steps on raw data, each of the length that lowers the loss most."""
    count, gated_sum = state
    inputs = data["x_query"].shape[1]
    if "x" in data:
        x, y, weight = data["x"], data["y"], data["weight"]
        gated_sum = gated_sum.copy()
        gated_sum[:inputs] += (weight[:, None] * x).T @ np.concatenate([x, y], 1)
        count = count + weight.sum()
    mean = gated_sum[:inputs] / count
    gram, cross = mean[:, :inputs], mean[:, inputs:]
    change = np.zeros_like(cross)
    for _ in range(steps):
        direction = cross - gram @ change
        slope = (direction * direction).sum(0)
        bend = (direction * (gram @ direction)).sum(0)
        change = change + np.divide(slope, bend, out=np.zeros_like(bend), where=bend > 0) * direction
    return data["x_query"] @ change, (count, gated_sum)


def linear(state: State, data: Data) -> tuple[Array, State]:
    """Average ridge regression over its strength by evidence; the eigendecomposition is the service's own."""
    x_query = data["x_query"]
    after = _observe_cells(state, data["x"], data["y"], data["weight"]) if "x" in data else state
    count, squares, mean, _, comoment, _ = after
    inputs = x_query.shape[1]
    outputs = len(mean) - inputs
    batch = {name: tensor[None] for name, tensor in zip(CELLS, after, strict=True)}
    found = wide_readout(batch, outputs, np.zeros(inputs), [np.ones(inputs)], scale=False, response=False)
    spread = np.sqrt(comoment.diagonal()[outputs:] / count)
    effective = float(count * count / squares)
    reach = (1.0 + np.sqrt(max(effective - 1.0, 0.0))) * spread
    near = (x_query - mean[outputs:]).clip(-reach, reach)
    return near @ found["cached.weight"][0] + mean[:outputs], after


def linear_in_steps(steps: int, state: State, data: Data) -> tuple[Array, State]:
    """Take gradient steps on standardised data with an intercept: version 1 of `linear`."""
    x_query = data["x_query"]
    after = _observe(state, data["x"], data["y"], data["weight"]) if "x" in data else state
    count, mean, comoment, peak = after
    inputs = x_query.shape[1]
    squared = comoment.diagonal()
    varies = squared > np.maximum(count * (1e-12 * mean) ** 2, 1e-14 * peak)
    length = np.sqrt(np.where(varies, squared, np.inf))[:inputs]
    scaled = comoment[:inputs] / length[:, None]
    gram, cross = scaled[:, :inputs] / length, scaled[:, inputs:]
    power = gram
    for _ in range(4):
        power = power @ power
    bound = max(1.0, (power * power).sum() ** (1 / 32))
    gram, cross = gram / bound, cross / bound
    change = cross
    for _ in range(steps - 1):
        change = change + (cross - gram @ change)
    return (x_query - mean[:inputs]) / length @ change + mean[inputs:], after


def _observe(state: State, x: Array, y: Array, weight: Array) -> State:
    return _observe_rows(state, np.concatenate([x, y], 1), weight)


def _observe_cells(state: State, x: Array, y: Array, weight: Array) -> State:
    """Do so where y comes before x, and the squares of the weights are counted too; no cell is missing."""
    count, squares, mean, present, comoment, peak = state
    moments = _observe_rows((count, mean, comoment, peak), np.concatenate([y, x], 1), weight)
    count, mean, comoment, peak = moments
    squares = squares + np.where(weight == np.floor(weight), weight, weight * np.abs(weight)).sum()
    return count, squares, mean, present, comoment, peak


def _observe_rows(state: State, z: Array, weight: Array) -> State:
    """Join the moments of new observations with those before (Chan, Golub and LeVeque)."""
    count, mean, comoment, peak = state
    new = weight.sum()
    new_mean = weight @ z / new
    offset = z - new_mean
    new_mean = new_mean + weight @ offset / new  # what rounding left
    share, gap = new / (count + new), new_mean - mean
    comoment = comoment + (weight[:, None] * offset).T @ offset + count * share * np.outer(gap, gap)
    return count + new, mean + share * gap, comoment, np.maximum(peak, np.abs(comoment.diagonal()))


MODELS: dict[str, Model] = {
    "gd-1": partial(gradient_descent, 1),
    "gd-8": partial(gradient_descent, 8),
    "linear-1.0.0": partial(linear_in_steps, 8),
    "linear": linear,
}
