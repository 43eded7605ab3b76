"""Whether a manifest describes the one signature that everything here relies on (see `artifact`)."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from math import isfinite
from typing import Literal

from gdssm.feature_plan import Band, FeaturePlan, Knots
from gdssm.prior import BUFFERED
from service.errors import BrokenArtifact
from service.inference.artifact import (
    CACHED_READY,
    DIAGNOSTICS,
    DISTRIBUTION,
    RESPONSE,
    WANT_RESPONSE,
    WANT_SCALE,
    Axis,
    Manifest,
    Task,
    TensorSpec,
    next_name,
    readout_shapes,
)

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
GROUPS_LIMIT = 16
"""Groups of features, each an input of the graph."""
FEATURES_LIMIT = 1024
"""Features beyond the columns, whatever their number: a state grows with the square."""
FLAGS: dict[Task, Shapes] = {
    "regression": {CACHED_READY: ("B",), WANT_SCALE: (), WANT_RESPONSE: ()},
    "classification": {CACHED_READY: ("B",)},
}
MERGED: dict[str, tuple[Shapes, ...]] = {"moments": (MOMENTS,), "cells": (CELLS, FEATURES)}


def check(manifest: Manifest) -> None:
    """Refuse a manifest whose tensors are not those of the contract.

    Raises:
        BrokenArtifact: With the first thing that is wrong.
    """
    for problem in _problems(manifest):
        raise BrokenArtifact(f"its manifest breaks the contract of model files: {problem}.")


def extra_inputs(plan: FeaturePlan | None, task: Task) -> Shapes:
    """Inputs other than the state and the data: tables of features, and a readout that may be given again."""
    if plan is None:
        return {}
    tables: Shapes = {"layout.block": (plan.axis,)}
    if plan.makes_features:
        tables = {"layout.additive": ("A", 3), "layout.pairs": ("P", 2), **tables}
    groups: Shapes = {f"layout.group.{number}": (f"S{number}",) for number in range(plan.groups)}
    return {**tables, **groups, **readout_shapes("cached", plan.axis, task), **FLAGS[task]}


def extra_outputs(plan: FeaturePlan | None, task: Task) -> Shapes:
    """Outputs other than the prediction and the state: its distribution, and the readout."""
    if plan is None:
        return {}
    readout = readout_shapes("readout", plan.axis, task)
    if task == "classification":
        return DIAGNOSTICS | readout
    return DISTRIBUTION | readout | {RESPONSE: ("B", "K", plan.axis, plan.axis)}


def _problems(manifest: Manifest) -> Iterator[str]:
    if manifest.features is not None:
        yield from _plan_problems(manifest.features)
    elif manifest.column_kinds != ("number",):
        yield "column_kinds must be number alone, because it has no features, which distinguish levels from numbers"
    d, k = _axis(manifest, "D"), _axis(manifest, "K")
    data: Shapes = {
        "x": ("B", "N", d),
        "y": ("B", "N", k),
        "weight": ("B", "N"),
        "x_query": ("B", "M", d),
        **extra_inputs(manifest.features, manifest.task),
    }
    state = {spec.name: spec.shape for spec in manifest.state}
    yield from _differences("inputs", manifest.inputs, {**data, **state})
    after = {next_name(name): shape for name, shape in state.items()}
    answers: Shapes = {"prediction": ("B", "M", k), **extra_outputs(manifest.features, manifest.task)}
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


def _plan_problems(plan: FeaturePlan) -> Iterator[str]:
    """Say why a plan does not give every number of columns some features, and not too many."""
    if not 1 <= plan.groups <= GROUPS_LIMIT:
        yield f"features.groups is {plan.groups}; it must be 1 to {GROUPS_LIMIT}"
    limits = [0, *(band.columns for band in plan.bands)]
    if limits.pop() is not None:
        yield "the last of features.bands must be for any number of columns, with columns null"
    if None in limits or any(after <= before for before, after in pairwise(limits)):  # type: ignore[operator]  # no None
        yield "features.bands before the last must be for numbers of columns that rise, from 1"
    for number, band in enumerate(plan.bands):
        yield from (f"features.bands[{number}] {problem}" for problem in _band_problems(band, plan.groups))


def _band_problems(band: Band, groups: int) -> Iterator[str]:
    if len({*band.blocks}) < len(band.blocks):
        yield "has a block twice"
    if band.columns is None and band.blocks:
        yield "is for any number of columns; it must make no features"
    count = sum(block.count(band.columns or 0) for block in band.blocks)
    if count > FEATURES_LIMIT:
        yield f"makes {count} features of {band.columns} columns; it may make {FEATURES_LIMIT}"
    if not 1 <= len(band.groups) <= groups:
        yield f"has {len(band.groups)} groups; by features.groups it must have 1 to {groups}"
    if any(len(row) != 1 + len(band.blocks) for row in band.groups):
        yield "must have in each group one share for the columns and one for each block"
    knots = [number for block in band.blocks if isinstance(block, Knots) for number in (*block.places, block.sharpness)]
    shares = [share for row in band.groups for share in row]
    if not all(map(isfinite, [*knots, *shares])) or min(shares, default=0.0) < 0:
        yield "has a number that is not finite, or a share below 0"


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
