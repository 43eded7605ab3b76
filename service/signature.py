"""Whether a manifest describes the one signature that everything here relies on (see `artifact`)."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from gdssm.feature_plan import FeaturePlan
from gdssm.prior import BUFFERED
from service.artifact import (
    CACHED_READY,
    DISTRIBUTION,
    RESPONSE,
    WANT_RESPONSE,
    WANT_SCALE,
    Axis,
    Manifest,
    TensorSpec,
    next_name,
    readout_shapes,
)
from service.errors import BrokenArtifact

Shapes = dict[str, tuple[Axis, ...]]

MOMENTS: Shapes = {
    "state.count": ("B",),
    "state.mean": ("B", "D+K"),
    "state.comoment": ("B", "D+K", "D+K"),
    "state.peak": ("B", "D+K"),
}
"""What the merge rule `moments` is about."""
CELLS: Shapes = {
    "state.count": ("B",),
    "state.count_of_squares": ("B",),
    "state.mean": ("B", "D+K"),
    "state.present": ("B", "G"),
    "state.comoment": ("B", "D+K+G", "D+K+G"),
    "state.peak": ("B", "D+K"),
}
"""What the merge rule `cells` is about, without features."""
FEATURES: Shapes = {
    **CELLS,
    "state.comoment": ("B", "D+K+G+A+P", "D+K+G+A+P"),
    "state.feature_mean": ("B", "A+P"),
    "state.frozen": ("B",),
    "state.center": ("B", "D"),
    "state.spread": ("B", "D"),
    "state.buffer": ("B", BUFFERED, "D+K"),
    "state.buffer_present": ("B", BUFFERED, "G"),
    "state.buffer_weight": ("B", BUFFERED),
}
"""What it is about with features."""
FLAGS: Shapes = {CACHED_READY: ("B",), WANT_SCALE: (), WANT_RESPONSE: ()}
MERGED: dict[str, tuple[Shapes, ...]] = {"moments": (MOMENTS,), "cells": (CELLS, FEATURES)}


def check(manifest: Manifest) -> None:
    """Refuse a manifest whose tensors are not those of the contract.

    Raises:
        BrokenArtifact: With the first thing that is wrong.
    """
    for problem in _problems(manifest):
        raise BrokenArtifact(f"its manifest breaks the contract of model files: {problem}.")


def extra_inputs(plan: FeaturePlan | None) -> Shapes:
    """Inputs other than the state and the data: tables of features, and a readout that may be given again."""
    if plan is None:
        return {}
    tables: Shapes = {"layout.block": (plan.axis,)}
    if plan.makes_features:
        tables = {"layout.additive": ("A", 3), "layout.pairs": ("P", 2), **tables}
    groups: Shapes = {f"layout.group.{number}": (f"S{number}",) for number in range(plan.groups)}
    return {**tables, **groups, **readout_shapes("cached", plan.axis), **FLAGS}


def extra_outputs(plan: FeaturePlan | None) -> Shapes:
    """Outputs other than the prediction and the state: its distribution, and the readout."""
    if plan is None:
        return {}
    return DISTRIBUTION | readout_shapes("readout", plan.axis) | {RESPONSE: ("B", "K", plan.axis, plan.axis)}


def _problems(manifest: Manifest) -> Iterator[str]:
    d, k = _axis(manifest, "D"), _axis(manifest, "K")
    data: Shapes = {
        "x": ("B", "N", d),
        "y": ("B", "N", k),
        "weight": ("B", "N"),
        "x_query": ("B", "M", d),
        **extra_inputs(manifest.features),
    }
    state = {spec.name: spec.shape for spec in manifest.state}
    yield from _differences("inputs", manifest.inputs, {**data, **state})
    after = {next_name(name): shape for name, shape in state.items()}
    answers: Shapes = {"prediction": ("B", "M", k), **extra_outputs(manifest.features)}
    yield from _differences("outputs", manifest.outputs, {**answers, **after})
    names = Counter([*data, *state, *(parameter.name for parameter in manifest.parameters)])
    yield from (f"{name} is there {times} times" for name, times in names.items() if times > 1)
    if {spec.dtype for spec in (*manifest.inputs, *manifest.outputs)} != {manifest.dtype}:
        yield "its tensors are not of one dtype"
    for name, (first, *others) in ((name, shape or (0,)) for name, shape in state.items()):
        if first != "B" or {"B", "N", "M"} & set(others):
            yield f"{name} must have B as its first axis, and neither N nor M"
    wanted = MERGED.get(manifest.merge.rule)
    if wanted and state not in wanted:
        yield f"the merge rule {manifest.merge.rule} is about {', '.join(wanted[0])} and no other state"
    if unknown := set(manifest.linear_in_y_given) - {parameter.name for parameter in manifest.parameters}:
        yield f"linear_in_y_given names {', '.join(sorted(unknown))}, which are no parameters"


def _axis(manifest: Manifest, letter: Literal["D", "K"]) -> Axis:
    size = manifest.dims.get(letter, 0)
    return letter if size == "any" else size


def _differences(kind: str, specs: tuple[TensorSpec, ...], wanted: Shapes) -> Iterator[str]:
    found = {spec.name: spec.shape for spec in specs}
    if found != wanted or len(specs) != len(wanted):
        shapes = ", ".join(f"{name} ({', '.join(map(str, shape))})" for name, shape in wanted.items())
        yield f"the {kind} must be {shapes}"
    sizes = {axis for spec in specs for axis in spec.shape if isinstance(axis, int)}
    if sizes and min(sizes) < 1:
        yield f"the {kind} have an axis of size {min(sizes)}"
