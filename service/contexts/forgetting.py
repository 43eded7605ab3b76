"""Forgetting is a weight: of everything seen before, λ is left after every further observation.

So a context that forgets is a one-shot context whose observation i of N weighs λ^(N−1−i) times its own weight, and the
graph needs no change: the state is faded as its merge rule says, and the new observations are weighed. Observations of
weight 0 are padding; they make nothing older.
"""

from collections.abc import Callable

import numpy as np

from service.artifact import Manifest
from service.contexts.merge import State
from service.errors import Problem, UnsupportedByModel
from service.shapes import Array


def check_forgets(manifest: Manifest) -> None:
    """See that states of a model can fade.

    Raises:
        UnsupportedByModel: They cannot, as they do not merge either.
    """
    if manifest.merge.rule not in RULES:
        forgetting = ", because it learnt by itself what to forget" if manifest.origin == "trained" else ""
        raise UnsupportedByModel(
            Problem("decay", f"is nothing that model {manifest.name} takes{forgetting}. Leave it out.")
        )


def fading(decay: float, weight: Array) -> tuple[Array, float]:
    """Work out what new observations leave of each other, and of what was there before.

    Args:
        decay: λ in (0, 1].
        weight: (N,) of the new observations, oldest first.

    Returns:
        (N,) their weights when all have been seen, and the share that is left of the state before them.
    """
    counted = weight != 0
    later = counted[::-1].cumsum()[::-1] - counted
    return weight * decay**later, float(decay ** int(counted.sum()))


def fade(manifest: Manifest, state: State, share: float) -> State:
    """Leave a share of a state's weight.

    Args:
        manifest: Of its model; it names the rule.
        state: Tensors by input name.
        share: In [0, 1].
    """
    return RULES[manifest.merge.rule](state, share)


def _scan(state: State, share: float) -> State:
    """Sums fade as their terms do."""
    return {name: share * tensor for name, tensor in state.items()}


def _moments(state: State, share: float) -> State:
    """So do the count and the second moments; the mean is the same, as long as anything is left."""
    faded = {name: share * tensor for name, tensor in state.items()}
    left = faded["state.count"][:, None] != 0
    return {**faded, "state.mean": np.where(left, state["state.mean"], 0.0)}


def _cells(state: State, share: float) -> State:
    """So do the peak and the weights of what is buffered; sums of squares twice; means and scales stay."""
    left = share * state["state.count"] != 0
    faded = {name: share * state[name] for name in FADING if name in state}
    means = {name: np.where(left[:, None], state[name], 0.0) for name in MEANS if name in state}
    return {**state, **faded, **means, "state.count_of_squares": share * share * state["state.count_of_squares"]}


FADING = ("state.count", "state.comoment", "state.peak", "state.buffer_weight")
MEANS = ("state.mean", "state.present", "state.feature_mean")

RULES: dict[str, Callable[[State, float], State]] = {"scan": _scan, "moments": _moments, "cells": _cells}
