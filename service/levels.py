"""Columns of x that are levels of categories: support by models, and states that see a level for the first time."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from service.errors import InvalidInput, Problem, UnsupportedByModel
from service.inference.artifact import Manifest
from service.inference.sizes import Array

Levels = tuple[int, ...]
"""Indices of columns of x that are levels of categories: 1 if an observation has the level, otherwise 0."""
TENSORS_WITH_X_COLUMNS = ("state.mean", "state.peak", "state.center", "state.spread", "state.buffer")
"""Tensors of a state whose last axis ends with the columns of x."""


def check_levels(manifest: Manifest, levels: Levels, inputs: int, field: str = "levels") -> None:
    """Check that a model supports these columns as levels.

    Args:
        manifest: Of the model.
        levels: The columns.
        inputs: D.
        field: What the request calls them.

    Raises:
        UnsupportedByModel: The model supports numbers only.
        InvalidInput: There is no such column, or one is repeated.
    """
    if "level" not in manifest.column_kinds:
        text = (
            f"are not supported by model {manifest.name} (version {manifest.version}): its columns are numbers. "
            "Send levels as numbers, or choose a model that has level among its column_kinds."
        )
        raise UnsupportedByModel(Problem(field, text))
    if len({*levels}) < len(levels) or not {*levels} <= {*range(inputs)}:
        text = f"must be different columns of x, from 0 to {inputs - 1}; these are {levels}."
        raise InvalidInput(Problem(field, text[:200]))


def with_new_levels(tensors: Mapping[str, Array], levels: Levels) -> dict[str, Array]:
    """Add the last columns of x to a state that does not have them, if they are levels.

    Exact, because the new levels were 0 in all earlier observations.

    Args:
        tensors: x, y and the state by input name, the state completely or not at all. Others are ignored.
        levels: The columns of x that are levels.

    Returns:
        The tensors of the state that change.
    """
    if not {"x", "y", "state.present"} <= tensors.keys():
        return {}
    inputs, width = tensors["x"].shape[2], tensors["state.mean"].shape[1]
    new = inputs - (width - tensors["y"].shape[2])
    if new <= 0 or not {*levels} >= {*range(inputs - new, inputs)}:
        return {}
    indicators = tensors["state.present"].shape[1]
    places = [width] * new + ([width + indicators] * new if indicators else [])
    comoment = np.insert(np.insert(tensors["state.comoment"], places, 0.0, axis=1), places, 0.0, axis=2)
    changed = {name: _with_columns(tensors[name], 0.0, new) for name in TENSORS_WITH_X_COLUMNS if name in tensors}
    if indicators:
        for name, weight in (("state.present", "state.count"), ("state.buffer_present", "state.buffer_weight")):
            if name in tensors:
                changed[name] = _with_columns(tensors[name], tensors[weight][..., None] != 0, new)
    return {**changed, "state.comoment": comoment}


def _with_columns(tensor: Array, value: ArrayLike, count: int) -> Array:
    """Append columns to the last axis, filled with a value or with one value for each row."""
    return np.concatenate([tensor, np.broadcast_to(value, (*tensor.shape[:-1], count))], -1)
