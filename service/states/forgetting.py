"""Forgetting is a weight: of everything seen before, λ is left after every further observation.

So a context that forgets is a one-shot context whose observation i of N weighs λ^(N−1−i) times its own weight, and the
graph needs no change: the state is faded as its merge rule says, and the new observations are weighed. Observations of
weight 0 are padding; they make nothing older.
"""

from collections.abc import Callable
from typing import Final, Literal

import numpy as np

from service.inference.artifact import Manifest
from service.inference.sizes import Array
from service.states.tensors import COUNT, SQUARES, State

AUTO: Final = "auto"
Auto = Literal["auto"]
Decay = float | Auto | None
"""The factor on the weight of every observation after one more; "auto" averages several; None forgets nothing."""
RULE = 'must be above 0 and at most 1, or "auto"'


def fading(decay: float, weight: Array) -> tuple[Array, float]:
    """Compute the faded weights of new observations, and the remaining share of the state before them.

    Args:
        decay: λ in (0, 1].
        weight: (N,) of the new observations, oldest first.

    Returns:
        (N,) their weights when all have been seen, and the share that is left of the state before them.
    """
    counted = weight != 0
    later = counted[::-1].cumsum()[::-1] - counted
    return weight * decay**later, float(decay ** int(counted.sum()))


def faded_squares(sent: Array | None, faded: Array) -> Array:
    """Sum e·λ^2k over new observations, e being w for a whole-number weight w and w·|w| for others; (B,).

    The graph would take a faded whole number for a fraction.

    Args:
        sent: Their weights (N,); None for ones.
        faded: The same weights when all have been seen, (N,) or (B, N).
    """
    faded = np.atleast_2d(faded)
    if sent is None:
        return np.asarray(np.square(faded).sum(1))
    share = np.divide(faded, sent, out=np.zeros_like(faded), where=sent != 0)
    own = np.where(sent == np.floor(sent), sent, sent * np.abs(sent))
    return np.asarray((own * share * share).sum(1))


def fade(manifest: Manifest, state: State, share: float | Array) -> State:
    """Leave a share of a state's weight.

    Args:
        manifest: Of its model; it names the rule.
        state: Tensors by input name.
        share: In [0, 1], or one for each of B contexts.
    """
    return RULES[manifest.merge.rule](state, np.asarray(share))


def _times(share: Array, tensor: Array) -> Array:
    return share.reshape(-1, *[1] * (tensor.ndim - 1)) * tensor


def _scan(state: State, share: Array) -> State:
    """Sums fade as their terms do."""
    return {name: _times(share, tensor) for name, tensor in state.items()}


def _moments(state: State, share: Array) -> State:
    """So do the count and the second moments; the mean is the same, as long as anything is left."""
    faded = {name: _times(share, tensor) for name, tensor in state.items()}
    left = faded[COUNT][:, None] != 0
    return {**faded, "state.mean": np.where(left, state["state.mean"], 0.0)}


def _cells(state: State, share: Array) -> State:
    """So do the peak and the buffered weights; sums of squares twice; means and scales stay."""
    left = share * state[COUNT] != 0
    faded = {name: _times(share, state[name]) for name in FADING if name in state}
    means = {name: np.where(left[:, None], state[name], 0.0) for name in MEANS if name in state}
    return {**state, **faded, **means, SQUARES: share * share * state[SQUARES]}


FADING = (COUNT, "state.comoment", "state.peak", "state.buffer_weight")
MEANS = ("state.mean", "state.present", "state.feature_mean")
RULES: dict[str, Callable[[State, Array], State]] = {"scan": _scan, "moments": _moments, "cells": _cells}
