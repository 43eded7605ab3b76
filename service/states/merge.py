"""Merges two contexts of one model, so that several machines can observe one context, and states without the model.

The rules are associative, and a zero state changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from service.column_names import join_names, width_with_names
from service.errors import InvalidInput, PrecisionLoss, Problem, UnsupportedByModel
from service.inference.artifact import Manifest
from service.inference.cells import buffered, with_indicators
from service.inference.predictor import check_finite, run
from service.inference.runtime import Runtime
from service.inference.sizes import Array, measure
from service.levels import Levels
from service.states.context_state import ContextState, check_sums
from service.states.forgetting import AUTO, fade
from service.states.learning import Learned, learned_of, widen
from service.states.precision import check_joined, sums_of
from service.states.tensors import SCALE, State, is_buffered


def join(
    runtime: Runtime, older: ContextState, newer: ContextState, *, allow_precision_loss: bool = False
) -> ContextState:
    """Remember what two contexts of one model and decay have seen, as if one came after the other.

    Raises:
        PrecisionLoss: The newer costs the older its significant digits, which is not allowed.
        InvalidInput: They were observed with different widths, or scale their features differently.
        UnsupportedByModel: States of the model do not merge.
        NumericOverflow: The state is beyond floating point.
    """
    manifest = runtime.manifest
    check_merges(manifest)
    older, newer = _with_levels_of_both(older, newer)
    if older.decay == AUTO:
        text = 'cannot be merged: with decay "auto" the order of all observations matters. Observe all in one context.'
        raise InvalidInput(Problem("context", text))
    names = join_names(older.columns, newer.columns)
    if older.tensors is None or newer.tensors is None:
        found = older if newer.tensors is None else newer
        inputs = width_with_names(names.x, found.inputs, "context")
        return replace(found, columns=names, inputs=inputs, outputs=width_with_names(names.y, found.outputs, "context"))
    looks = [(state.inputs, state.levels, state.outputs, state.y_is_1d) for state in (older, newer)]
    if looks[0] != looks[1]:
        problem = (
            f"The contexts do not fit: one has {_looks_of(older)}, the other {_looks_of(newer)}. Merge contexts alike."
        )
        raise InvalidInput(Problem("", problem))
    check_sums(
        older.n_observations + newer.n_observations, older.absolute_weight_sum + newer.absolute_weight_sum, "context"
    )
    share = 1.0 if older.decay is None else older.decay**newer.n_counted
    faded = older.tensors if share == 1.0 else fade(manifest, older.tensors, share)
    kept = Learned(
        _joined(runtime, faded, newer.tensors, older.levels), older.absolute_weight_sum + newer.absolute_weight_sum
    )
    if not older.forgets:
        kept = _with_history(manifest, older, newer, kept, allow_precision_loss=allow_precision_loss)
    return replace(
        older,
        tensors=kept.state,
        absolute_weight_sum=kept.absolute_weight_sum,
        history=kept.history,
        n_observations=older.n_observations + newer.n_observations,
        n_counted=older.n_counted + newer.n_counted,
        columns=names,
    )


def _with_levels_of_both(older: ContextState, newer: ContextState) -> tuple[ContextState, ContextState]:
    """Add the further levels of one context to the other, if the one has just those in addition."""
    narrow, wide = sorted((older, newer), key=lambda state: state.inputs or 0)
    if narrow.inputs is None or wide.inputs is None or narrow.tensors is None or wide.tensors is None:
        return older, newer
    if wide.levels != (*narrow.levels, *range(narrow.inputs, wide.inputs)):
        return older, newer
    columns = narrow.columns
    if wide.columns.x is not None and columns.x in {None, wide.columns.x[: narrow.inputs]}:
        columns = replace(columns, x=wide.columns.x)
    widened = widen(narrow, wide.inputs, wide.levels, columns)
    return (widened, newer) if narrow is older else (older, widened)


def _joined(runtime: Runtime, older: State, newer: State, levels: Levels) -> State:
    """Merge states; observations that one still holds as they came are learnt by the other."""
    if is_buffered(newer):
        return runtime.state_after(run(runtime, {**older, **buffered(newer)}, {}, levels))
    if is_buffered(older):
        return runtime.state_after(run(runtime, {**newer, **buffered(older)}, {}, levels))
    with np.errstate(over="ignore", invalid="ignore"):
        joined = merge(runtime.manifest, older, newer)
    check_finite(joined.values(), runtime.manifest, {})
    return joined


def _with_history(
    manifest: Manifest, older: ContextState, newer: ContextState, joined: Learned, *, allow_precision_loss: bool
) -> Learned:
    """Join the histories of two contexts that forget nothing.

    Raises:
        PrecisionLoss: The newer costs the older its digits, which is not allowed.
    """
    outputs = older.outputs or 0
    first, second = (learned_of(state).begun(manifest, (older.inputs or 0) + outputs) for state in (older, newer))
    if first.history is not None and second.history is not None:
        joined = joined._replace(history=first.history.with_other(second.history))
    before, after = (sums_of(manifest, one.state, one.history, outputs) for one in (first, joined))
    if before is None or after is None or not first.is_established():
        return joined
    try:
        check_joined(before, after)
    except PrecisionLoss as loss:
        if not allow_precision_loss:
            raise
        return joined.with_digits(loss.digits)
    return joined


def _looks_of(state: ContextState) -> str:
    """Say which columns the observations of a context have."""
    levels = f" ({', '.join(map(str, state.levels))} are levels)" if state.levels else ""
    y = "y of numbers" if state.y_is_1d else f"y of {state.outputs} columns"
    return f"{state.inputs} columns of x{levels} and {y}"


def merge(manifest: Manifest, older: State, newer: State) -> dict[str, Array]:
    """Join what two contexts have seen.

    Args:
        manifest: Of the model that both states belong to; it names the rule.
        older: State tensors by input name.
        newer: State tensors by input name.

    Raises:
        UnsupportedByModel: The model's states do not merge.
        InvalidInput: The two are not of one shape.
    """
    check_merges(manifest)
    if _widths(manifest, older) != _widths(manifest, newer):
        raise InvalidInput(
            Problem("", "The two states were made from data of different widths; they cannot be merged.")
        )
    if SCALE[0] in older and any((older[name] != newer[name]).any() for name in SCALE):
        text = (
            "The two states scale their features differently, each by its own first observations; they cannot be "
            "merged. Give contexts that are to be merged one scale when they are made, or use model linear."
        )
        raise InvalidInput(Problem("", text))
    return RULES[manifest.merge.rule](older, newer)


def _widths(manifest: Manifest, state: State) -> Mapping[str, int]:
    """The sizes of a state, but for its indicators, which can be added."""
    sizes = measure(manifest.state, state)
    indicators = sizes.get("G", 0)
    return {axis: size - indicators * axis.split("+").count("G") for axis, size in sizes.items()}


def check_merges(manifest: Manifest) -> None:
    """See that states of a model can be joined.

    Raises:
        UnsupportedByModel: They cannot.
    """
    if manifest.merge.rule not in RULES:
        problem = f"States of model {manifest.name} do not merge; observe all in one context."
        raise UnsupportedByModel(Problem("", problem))


def _scan(older: State, newer: State) -> dict[str, Array]:
    """Sums of a recurrence that forgets nothing add up."""
    return {name: older[name] + newer[name] for name in older}


def _moments(older: State, newer: State) -> dict[str, Array]:
    """Chan, Golub and LeVeque 1979: the sum of the comoments, plus the term between the two means."""
    a, b = older["state.count"][:, None], newer["state.count"][:, None]
    count = a + b
    left = count != 0
    share = np.divide(b, count, out=np.zeros_like(count), where=left)
    gap = newer["state.mean"] - older["state.mean"]
    between = (a * share)[..., None] * gap[:, :, None] * gap[:, None, :]
    comoment = older["state.comoment"] + newer["state.comoment"] + between
    diagonal = np.abs(np.diagonal(comoment, axis1=1, axis2=2))
    peak = np.maximum.reduce([older["state.peak"], newer["state.peak"], diagonal])
    return {
        "state.count": count[:, 0],
        "state.mean": np.where(left, older["state.mean"] + share * gap, 0.0),
        "state.comoment": np.where(left[..., None], comoment, 0.0),
        "state.peak": np.where(left, peak, 0.0),
    }


def _cells(older: State, newer: State) -> dict[str, Array]:
    """As `_moments`, where each column of x has its own count of cells, and with features of one frozen scale.

    Moving the centre of a column from c to c' adds (c − c')·present to it: a linear map of the comoment, see
    `gdssm.cell_moments`.
    """
    inputs = max(older["state.present"].shape[1], newer["state.present"].shape[1])
    sides = [dict(state) | (with_indicators(state, inputs) if inputs else {}) for state in (older, newer)]
    count = sides[0]["state.count"] + sides[1]["state.count"]
    left = count != 0
    outputs = sides[0]["state.mean"].shape[1] - inputs
    cells = [_cell_counts(side, outputs) for side in sides]
    cell_count = cells[0] + cells[1]
    share = np.divide(cells[1], cell_count, out=np.zeros_like(cell_count), where=cell_count != 0)
    gap = sides[1]["state.mean"] - sides[0]["state.mean"]
    mean = sides[0]["state.mean"] + share * gap
    shifts = [-share * gap, (1.0 - share) * gap]
    extra = [_extra_means(side) for side in sides]
    weight = np.divide(sides[1]["state.count"], count, out=np.zeros_like(count), where=left)[:, None]
    extra_gap = extra[1] - extra[0]
    extra_shifts = [-weight * extra_gap, (1.0 - weight) * extra_gap]
    comoment = np.zeros_like(sides[0]["state.comoment"])
    for side, shift, extra_shift, own in zip(sides, shifts, extra_shifts, cells, strict=True):
        n = np.where(side["state.count"] != 0, side["state.count"], 1.0)[:, None]
        offset = np.concatenate([own / n * shift, extra_shift], 1)
        between = side["state.count"][:, None, None] * offset[:, :, None] * offset[:, None, :]
        comoment = comoment + _moved(side["state.comoment"], shift, outputs, inputs) + between
    diagonal = np.abs(np.diagonal(comoment, axis1=1, axis2=2))[:, : mean.shape[1]]
    peak = np.maximum.reduce([sides[0]["state.peak"], sides[1]["state.peak"], diagonal])
    extra_mean = np.where(left[:, None], extra[0] + weight * extra_gap, 0.0)
    joined = {
        "state.count": count,
        "state.count_of_squares": np.where(
            left, sides[0]["state.count_of_squares"] + sides[1]["state.count_of_squares"], 0.0
        ),
        "state.mean": np.where(left[:, None], mean, 0.0),
        "state.present": extra_mean[:, :inputs],
        "state.comoment": np.where(left[:, None, None], comoment, 0.0),
        "state.peak": np.where(left[:, None], peak, 0.0),
    }
    return dict(sides[0]) | joined | ({"state.feature_mean": extra_mean[:, inputs:]} if SCALE[0] in older else {})


def _cell_counts(state: State, outputs: int) -> Array:
    """The sum of the weights over the cells that are there, of each column of [y, x]; (B, K + D)."""
    inputs = state["state.present"].shape[1]
    there = np.ones_like(state["state.mean"])
    if inputs:
        there[:, outputs:] = state["state.present"]
    return state["state.count"][:, None] * there


def _extra_means(state: State) -> Array:
    """The means of the indicators and the features."""
    features = state.get("state.feature_mean", np.zeros((len(state["state.count"]), 0)))
    return np.concatenate([state["state.present"], features], 1)


def _moved(comoment: Array, shift: Array, outputs: int, inputs: int) -> Array:
    """Follow the centre of x: u' = u + present·shift, on the rows and then on the columns."""
    if not inputs:
        return comoment
    moved, own = comoment.copy(), shift[:, outputs:]
    x, present = slice(outputs, outputs + inputs), slice(outputs + inputs, outputs + 2 * inputs)
    moved[:, x] += own[:, :, None] * moved[:, present]
    moved[:, :, x] += own[:, None, :] * moved[:, :, present]
    return moved


RULES: dict[str, Callable[[State, State], dict[str, Array]]] = {"scan": _scan, "moments": _moments, "cells": _cells}
