"""Validity checks of imported states: values that no observations lead to are named by their tensor."""

from collections.abc import Iterator

import numpy as np

from service.contexts import drift
from service.contexts.compact import BUFFER
from service.contexts.feature_scale import FeatureScale, declared
from service.contexts.forgetting import COUNT
from service.contexts.merge import SCALE, State
from service.inference.artifact import Manifest
from service.inference.sizes import Array

ROUNDING = 1e-6
"""Relative error that sums of squares may have, and that a share of the weights may be beyond 0 or 1."""
NOT_NEGATIVE = (COUNT, "state.peak", "state.spread", "state.last_weight")
SUM = "state.gated_sum"
FLAGS = ("state.frozen", "state.buffer_present")
"""Zeros and ones."""


def state_problems(manifest: Manifest, state: State) -> Iterator[str]:
    """Describe values that a state of a model cannot hold.

    Args:
        manifest: Of the model.
        state: Tensors by input name, of the right dtypes and shapes.
    """
    for name, tensor in state.items():
        if not _is_finite(manifest, name, tensor):
            yield f"a value that is not a finite number, in {name}"
            return
    for name in NOT_NEGATIVE:
        if name in state and (state[name] < 0).any():
            yield f"a negative number, in {name}"
    for name in FLAGS:
        if name in state and not np.isin(state[name], (0, 1)).all():
            yield f"flags that are neither 0 nor 1, in {name}"
    if "state.present" in state and (np.abs(state["state.present"] - 0.5) > 0.5 + ROUNDING).any():
        yield "a share that is not between 0 and 1, in state.present"
    if drift.WEIGHT in state and (state[drift.WEIGHT] <= 0).any():
        yield f"a weight that is not positive, in {drift.WEIGHT}"
    if SCALE[0] in state:
        yield from _unlike_buffer(state)
    yield from _negative_squares(manifest, state)


def has_scale(state: State, scale: FeatureScale | None) -> bool:
    """Check whether the features of a state have the declared scale, if one was declared."""
    return all((state[name] == tensor).all() for name, tensor in declared(scale).items())


def _is_finite(manifest: Manifest, name: str, tensor: Array) -> bool:
    missing = np.isnan(tensor) if name == drift.X and manifest.missing_cells else False
    return bool((np.isfinite(tensor) | missing).all())


def _unlike_buffer(state: State) -> Iterator[str]:
    """Until the scale of the features is fixed, a state holds all of its observations as they came, and then none."""
    is_fixed = state[SCALE[0]] == 1
    if any(state[name][is_fixed].any() for name in BUFFER):
        yield "observations that wait for a scale which is fixed, in state.buffer"
    weight = state["state.buffer_weight"]
    rounding = ROUNDING * np.maximum(np.abs(weight).sum(1), 1.0)
    if (~is_fixed & (np.abs(weight.sum(1) - state[COUNT]) > rounding)).any():
        yield f"another sum of weights than their observations have, in {COUNT}"


def _negative_squares(manifest: Manifest, state: State) -> Iterator[str]:
    """Sums of squares on the diagonal of plain sums that forget nothing by themselves; of comoments see `removal`."""
    if manifest.merge.rule != "scan":
        return
    squares = np.diagonal(state[SUM], axis1=1, axis2=2)
    if (squares < -ROUNDING * np.abs(squares).max(1, keepdims=True, initial=0.0)).any():
        yield f"a negative sum of squares, in {SUM}"
