"""A scale of features that is declared, so that contexts can be merged exactly: the caller's, or another context's."""

from typing import NamedTuple

import numpy as np

from service.contexts.merge import SCALE, State
from service.errors import InvalidInput, Problem, UnsupportedByModel
from service.inference.artifact import Manifest
from service.inference.sizes import Array


class FeatureScale(NamedTuple):
    """What the columns of x are standardised by before features are made of them."""

    center: tuple[float, ...]
    """About the mean of each column."""
    spread: tuple[float, ...]
    """About its standard deviation; 0 makes no features of the column."""


def check_scale(manifest: Manifest, scale: FeatureScale) -> None:
    """See that a scale is one, and that the model has use for it.

    Raises:
        UnsupportedByModel: The model makes no features.
        InvalidInput: It is not one.
    """
    if manifest.features is None or not manifest.features.makes_features:
        text = f"is nothing that model {manifest.name} takes: its states merge without one. Leave it out."
        raise UnsupportedByModel(Problem("scale", text))
    problems = []
    if len(scale.center) != len(scale.spread) or not scale.center:
        sizes = f"{len(scale.center)} and {len(scale.spread)}"
        problems.append(
            Problem("scale", f"must have one center and one spread for each column of x; these are {sizes}.")
        )
    problems += [
        Problem(f"scale.spread[{i}]", f"must not be negative; this is {spread:g}.")
        for i, spread in enumerate(scale.spread)
        if not spread >= 0
    ]
    if problems:
        raise InvalidInput(*problems)


def declared(scale: FeatureScale | None) -> dict[str, Array]:
    """The tensors of a state that say it; the others are zeros."""
    if scale is None:
        return {}
    parts = (np.ones(1), np.array([scale.center]), np.array([scale.spread]))
    return dict(zip(SCALE, parts, strict=True))


def scale_of(state: State | None) -> FeatureScale | None:
    """Read the scale of a state (B = 1), if it is fixed."""
    if state is None or SCALE[0] not in state or not state[SCALE[0]].all():
        return None
    center, spread = (tuple(state[name][0].tolist()) for name in SCALE[1:])
    return FeatureScale(center, spread)
