"""Many observations at once, in chunks: features take many times the memory of the rows that they are made of."""

from collections.abc import Iterator, Mapping

import numpy as np

from gdssm.prior import ROUNDING
from service.inference.cells import buffered
from service.inference.sizes import Array

NUMBERS_AT_ONCE = 2**22
"""Features that are made in one run: 32 MiB."""


def is_long(arrays: Mapping[str, Array]) -> bool:
    """Whether the inputs of a model with features are to be observed in chunks."""
    batch, rows, _ = arrays["x"].shape
    return bool(batch * rows * arrays["layout.block"].size > NUMBERS_AT_ONCE and rows > 1)


def chunks(arrays: Mapping[str, Array]) -> Iterator[dict[str, Array]]:
    """Split observations into runs; the state of the first goes before them, later ones take that of the one before.

    The scale of the features is that of all observations, as in one run, and frozen before the first chunk.

    Args:
        arrays: All inputs of the graph.

    Yields:
        x, y and weight of each run, the first with the state that it starts from.
    """
    batch, rows, _ = arrays["x"].shape
    size = max(1, NUMBERS_AT_ONCE // (batch * arrays["layout.block"].size))
    start = _frozen(arrays)
    if arrays["state.buffer_weight"].any():
        yield {**start, **buffered(arrays)}
        start = {}
    for first in range(0, rows, size):
        piece = slice(first, first + size)
        yield {**start, **{name: arrays[name][:, piece] for name in ("x", "y", "weight")}}
        start = {}


def _frozen(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The state that the chunks are added to: where it was not frozen, empty but for the scale of all observations."""
    state = {name: array for name, array in arrays.items() if name.startswith("state.")}
    open_ = state["state.frozen"] == 0
    if not open_.any():
        return state
    old = buffered(arrays)
    x, weight = (np.concatenate([old[name], arrays[name]], 1) for name in ("x", "weight"))
    there = np.where(np.isnan(x), 0.0, weight[..., None])
    cells = np.where(np.isnan(x), 0.0, x)
    total = there.sum(1, keepdims=True)
    total = np.where(total > 0, total, 1.0)
    mean = (there * cells).sum(1, keepdims=True) / total
    variance = ((there * np.square(cells - mean)).sum(1, keepdims=True) / total).clip(min=0.0)
    spread = np.sqrt(np.where(variance > np.square(ROUNDING * mean), variance, 0.0))
    changed = {name: np.where(open_.reshape(-1, *[1] * (array.ndim - 1)), 0.0, array) for name, array in state.items()}
    return changed | {
        "state.frozen": np.ones_like(state["state.frozen"]),
        "state.center": np.where(open_[:, None], mean[:, 0], state["state.center"]),
        "state.spread": np.where(open_[:, None], spread[:, 0], state["state.spread"]),
    }
