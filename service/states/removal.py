"""Observations taken out, of negative weight: refused where the sums that remain would be wrong.

They are wrong where rounding is not small compared with the rest, and where no observations lead to them: a
variation below 0, a correlation beyond 1, a count below 0.
"""

import numpy as np
from numpy.typing import NDArray

from service.errors import InvalidInput, PrecisionLoss, Problem
from service.inference.artifact import Manifest
from service.inference.cells import buffered
from service.inference.sizes import Array
from service.states.history import History, Rows
from service.states.precision import (
    CANCELLED,
    DIGITS,
    LEAST_SHARE,
    Sums,
    digits_of,
    hidden_count,
    in_order_of,
    sums_of,
)
from service.states.tensors import COUNT, SQUARES, State, is_buffered

Mask = NDArray[np.bool_]
IMPOSSIBLE = 1e-9
"""An eigenvalue of the comoment, relative to its peaks, is not rounding below minus this."""
DENORMAL = 1e-290
"""Squares below have too few digits to be compared."""
REMAINING_SHARE = 0.5 * LEAST_SHARE
"""Here rounding is taken for a little less than where observing is refused, so that the two never disagree."""
KNOWN = 0.25
"""Two values of a column make at least twice this share of the variation that they make with the smallest weight."""


def gross_variation(before: State, sums: Sums | None, center: Array, rows: Rows) -> Array:
    """Add up the sizes of all that went into the variation of each column (C,): what rounding is relative to.

    Half of them: removed observations are among them twice.

    Args:
        before: The state.
        sums: Its sums; None for none.
        center: The means (C,) afterwards.
        rows: The observations added to it.
    """
    if is_buffered(before):
        kept = {name: tensor[0] for name, tensor in buffered(before).items()}
        old = Rows(kept["x"], kept["y"], kept["weight"])
        return 0.5 * (_spread(old, center) + _spread(rows, center))
    gross = _spread(rows, center)
    if sums is None:
        return 0.5 * gross
    half: Array = 0.5 * (gross + np.abs(sums.variation) + np.abs(sums.count) * np.square(sums.mean - center))
    return half


def _spread(rows: Rows, center: Array) -> Array:
    distance: Array = rows.values - center
    squares: Array = np.square(np.where(np.isnan(distance), 0.0, distance))
    return np.asarray(np.abs(rows.weight) @ squares)


def constant_columns(after: Sums, history: History | None, absolute_weight_sum: float) -> Mask:
    """Find the columns (C,) whose variation is certainly rounding."""
    absent = np.abs(after.count) <= CANCELLED * absolute_weight_sum
    if history is None:
        return absent
    if history.sums is None and history.is_single(float(after.count[0])):
        return np.ones_like(absent)
    with np.errstate(over="ignore", invalid="ignore"):
        least = KNOWN * history.least_weight * np.square(history.gaps(len(absent)))
        apart = (np.abs(after.variation) <= least) & (CANCELLED * after.peak <= least)
    found: Mask = absent | apart
    return found


def check_remaining(after: Sums, constant: Mask, rows: Rows) -> None:
    """Check that the rest of the columns has its digits.

    Args:
        after: The sums, with peaks that count additions and removals.
        constant: Columns that do not vary.
        rows: The observations, some of negative weight.

    Raises:
        InvalidInput: A variation is negative.
        PrecisionLoss: Digits are lost; the cell is named.
    """
    wrong = after.variation < -np.maximum(IMPOSSIBLE * after.peak, after.rounding_of_squares())
    if wrong.any():
        raise _impossible(rows.weight_at(int(rows.weight.argmin())))
    share = after.share()
    lost = ~constant & (after.peak > 0) & (share < REMAINING_SHARE)
    lost &= (after.variation > after.rounding()) | (after.variation < REMAINING_SHARE * after.peak)
    if not lost.any():
        return
    column = int(lost.argmax())
    squares = np.square(np.nan_to_num(rows.values[:, column] - after.mean[column]))
    row = int(np.where(rows.weight < 0, -rows.weight * squares, -1.0).argmax())
    digits = digits_of(max(float(share[column]), 0.0))
    text = (
        f"is {rows.values[row, column]:g} and cannot be taken out exactly: {digits} of the {DIGITS} significant digits "
        "that the variation of the column needs would be left. Make a new context of the observations that are right."
    )
    raise PrecisionLoss(Problem(rows.cell(row, column), text), digits=digits)


def _impossible(field: str) -> InvalidInput:
    text = (
        "takes out observations that were never made, or more than there were: no observations lead to the rest. "
        "Take out each observation once, with the values that were observed."
    )
    return InvalidInput(Problem(field, text))


def has_possible_moments(comoment: Array, sizes: Array) -> bool:
    """Whether second moments are those of some observations: no variation below 0, no correlation beyond 1.

    Args:
        comoment: (E, E), symmetric.
        sizes: (E,) what rounding of each diagonal entry is relative to.
    """
    scale = np.sqrt(np.where(sizes > DENORMAL, sizes, 1.0))
    scaled = comoment / scale / scale[:, None]
    try:
        np.linalg.cholesky(scaled + IMPOSSIBLE * np.eye(len(scaled)))
    except np.linalg.LinAlgError:
        return False
    return True


def check_possible(state: State, absolute_weight_sum: float) -> None:
    """See that observations lead to the sums of a state that comes from elsewhere, which may be of several contexts.

    Raises:
        InvalidInput: None do.
    """
    for i in range(len(state.get("state.comoment", ()))):
        one = {name: tensor[i : i + 1] for name, tensor in state.items()}
        is_counted = np.abs(one[COUNT]) > np.sqrt(DENORMAL)
        is_possible = (one.get(SQUARES, one[COUNT]) > 0)[is_counted].all()
        if not is_possible or not has_possible_moments(one["state.comoment"][0], sizes_of(one, absolute_weight_sum)):
            text = "The bytes hold sums that no observations lead to. Export the context again."
            raise InvalidInput(Problem("", text))


def has_possible_squares(state: State, rows: float) -> bool:
    """Whether squares of weights, where a state has them, are those of so many rows, whole weights taken for rows."""
    if SQUARES not in state:
        return True
    count = state[COUNT] / np.sqrt(rows)  # its square alone may be beyond floating point
    return bool((np.square(count) <= state[SQUARES] * (1.0 + IMPOSSIBLE) + DENORMAL).all())


def sizes_of(state: State, absolute_weight_sum: float) -> Array:
    """Find what rounding of the diagonal of a state's comoment (B = 1) is relative to: (E,).

    Args:
        state: With the peaks of its columns of x and y.
        absolute_weight_sum: The sum of the sizes of the weights; indicators and features are of size one.
    """
    sizes, peak = np.abs(np.diagonal(state["state.comoment"][0])), state["state.peak"][0]
    return np.concatenate([np.maximum(peak, sizes[: len(peak)]), np.maximum(sizes[len(peak) :], absolute_weight_sum)])


def check_taken_out(
    manifest: Manifest, before: State, after: State, rows: Rows, *, history: History | None, absolute_weight_sum: float
) -> dict[str, Array]:
    """See that a state is right after observations, of which some were taken out; something is left.

    Args:
        manifest: Of the model.
        before: The state (B = 1) before, or nothing.
        after: The state after.
        rows: The observations.
        history: With the rows.
        absolute_weight_sum: The sum of the sizes of all weights.

    Returns:
        The state after, with peaks that rounding is relative to, and without the variation of constant columns.

    Raises:
        InvalidInput: No observations lead to it.
        PrecisionLoss: Digits are lost.
    """
    after = with_gross_peaks(manifest, before, after, history, rows)
    sums = sums_of(manifest, after, history, rows.outputs)
    if sums is None:
        return dict(after)
    constant = constant_columns(sums, history, absolute_weight_sum)
    check_remaining(sums, constant, rows)
    if "state.comoment" not in after:
        return dict(after)
    gross = 0.0 if history is None else history.gross_squares
    if SQUARES in after and after[SQUARES][0] <= REMAINING_SHARE * gross:
        if after[SQUARES][0] > 0:
            raise hidden_count(f"{rows.at}weight", absolute_weight_sum)
        text = "takes out more squares of weights than are there. Take out each observation by the weight that it had."
        raise InvalidInput(Problem(f"{rows.at}weight", text))
    after = without_variation(manifest, after, constant, rows.outputs)
    if not has_possible_moments(after["state.comoment"][0], sizes_of(after, absolute_weight_sum)):
        raise _impossible(f"{rows.at}weight")
    return after


def with_gross_peaks(
    manifest: Manifest, before: State, after: State, history: History | None, rows: Rows
) -> dict[str, Array]:
    """Let the peaks of a state count additions and removals, which its variation does not show."""
    sums = sums_of(manifest, after, history, rows.outputs)
    if "state.peak" not in after or sums is None:
        return dict(after)
    earlier = sums_of(manifest, before, None, rows.outputs) if before.keys() == after.keys() else None
    peak = np.maximum(sums.peak, gross_variation(before, earlier, sums.mean, rows))
    if earlier is not None:
        peak = np.maximum(peak, earlier.peak)
    return {**after, "state.peak": in_order_of(manifest, peak, rows.outputs)[None]}


def without_variation(manifest: Manifest, state: State, constant: Mask, outputs: int) -> dict[str, Array]:
    """Give constant columns (C,) no variation."""
    if not constant.any():
        return dict(state)
    varies = np.ones(state["state.comoment"].shape[1])
    varies[: len(constant)] = ~in_order_of(manifest, constant, outputs)
    return {**state, "state.comoment": state["state.comoment"] * varies * varies[:, None]}


def check_weighted(rows: Rows) -> None:
    """See that observations of which some are taken out make sums with their digits; nothing was observed before.

    Args:
        rows: All of them; their weights add up to more than 0.

    Raises:
        InvalidInput: More was taken out than was there.
        PrecisionLoss: Digits are lost; the cell or the weights are named.
    """
    weight, there = rows.weight[:, None], ~np.isnan(rows.values)
    count, absolute_weight_sum = (weight * there).sum(0), np.abs(rows.weight).sum()
    if rows.weight.sum() < LEAST_SHARE * absolute_weight_sum:
        raise PrecisionLoss(
            Problem(f"{rows.at}weight", "adds up to rounding, compared with its entries. Leave out both rows."),
            digits=0,
        )
    absent = np.abs(count) <= CANCELLED * absolute_weight_sum
    divisor = np.where(absent, 1.0, count)
    values = np.where(there, rows.values, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.where(absent, 0.0, (weight * values).sum(0) / divisor)
        mean += np.where(absent, 0.0, (weight * there * (values - mean)).sum(0) / divisor)
        distance = there * (values - mean)
        comoment, gross = (weight * distance).T @ distance, 0.5 * np.abs(rows.weight) @ np.square(distance)
    if not (np.isfinite(comoment).all() and np.isfinite(gross).all()):
        return  # beyond floating point, which the model is to say
    least, largest = (np.where(there, rows.values, end) for end in (np.inf, -np.inf))
    constant = absent | (least.min(0) == largest.max(0))
    check_remaining(Sums(count, mean, np.diagonal(comoment), gross), constant, rows)
    if not has_possible_moments(comoment, gross):
        raise _impossible(f"{rows.at}weight")
