"""Significant digits of the sums of a context: an observation that would cost them is refused.

A sum is rounded to 2⁻⁵² of the largest that it has been, its peak. So when observations are taken out, the rest of the
variation of a column has the digits of left/(2⁻⁵²·peak). Nothing is lost as long as nothing is taken out; contexts
that forget take nothing out, and are not checked.
"""

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gdssm.prior import RESIDUE, ROUNDING
from service.errors import InvalidInput, PrecisionLoss, Problem
from service.inference.artifact import Manifest
from service.inference.checks import SMALLEST_VALUE, has_small
from service.inference.sizes import Array
from service.states.history import History, Rows
from service.states.tensors import COUNT, SQUARES, State

Kind = TypeVar("Kind", bound=np.generic)

EPSILON = 2.0**-52
DIGITS = 6
"""Fewest significant digits of a variation."""
ALL_DIGITS = 15
LEAST_SHARE = 10.0**DIGITS * EPSILON
"""A sum this small compared with its peak has fewer."""
ESTABLISHED = 3
"""Observations from which on the variation of a column shows its scale."""
REMEDY = "Correct it, or send allow_precision_loss: true if it is meant."
CANCELLED = 1e-12
"""A count this small compared with the weights that went into it is rounding: nothing is left."""


class Sums(NamedTuple):
    """Sums of the C columns of [y, x], each (C,)."""

    count: Array  # type: ignore[assignment]  # shadows tuple.count, which nothing calls
    """The weight of the cells that are there."""
    mean: Array
    variation: Array
    """Σ weight·(value − mean)²; Σ weight·value² for models of plain sums, whose mean is 0 here."""
    peak: Array
    """The largest that the variation has been."""

    def rounding(self) -> Array:
        """The variation up to which a column is constant for the models."""
        with np.errstate(over="ignore"):  # of contexts of earlier versions
            found: Array = np.maximum(self.count * np.square(ROUNDING * self.mean), RESIDUE * self.peak)
        return found

    def rounding_of_squares(self) -> Array:
        """The largest error of the variation if each distance from the mean is off by the rounding of the mean."""
        with np.errstate(over="ignore"):
            found: Array = 2 * ROUNDING * np.abs(self.mean) * np.sqrt(np.abs(self.count) * self.peak)
        return found

    def share(self) -> Array:
        """The relative precision: of the variation compared with its peak, and of the spread compared with the mean."""
        spread = np.sqrt(np.maximum(self.variation, 0.0))
        one = np.ones_like(spread)
        with np.errstate(over="ignore"):
            size = np.abs(self.mean) * np.sqrt(np.abs(self.count))
            of_mean = np.divide(spread, size, out=one.copy(), where=size > 0)
            of_peak = np.divide(self.variation, self.peak, out=one, where=self.peak > 0)
        found: Array = np.minimum(of_peak, of_mean)
        return found


def takes_out(manifest: Manifest) -> bool:
    """Whether observations can be taken out of states of a model, so that digits matter."""
    return manifest.merge.rule != "none"


def sums_of(manifest: Manifest, state: State, history: History | None, outputs: int) -> Sums | None:
    """Read the sums of a state, of its first context; None where neither it nor the history has them."""
    if manifest.merge.rule == "scan":
        if history is None or history.sums is None:
            return None
        columns = history.sums.shape[1]
        return Sums(state["state.count"][:1].repeat(columns), np.zeros(columns), history.sums[0], history.sums[1])
    mean, variation, peak = state["state.mean"][0], diagonal(state), state["state.peak"][0]
    count, present = state["state.count"][:1].repeat(len(mean)), state.get("state.present")
    if present is not None and present.shape[1]:
        count[outputs:] *= present[0]
    if manifest.merge.rule == "moments":  # [x, y]
        mean, variation, peak = (np.roll(columns, outputs) for columns in (mean, variation, peak))
    return Sums(count, mean, variation, peak)


def in_order_of(manifest: Manifest, columns: NDArray[Kind], outputs: int) -> NDArray[Kind]:
    """Put columns of [y, x] in the order of the states of a model."""
    return np.roll(columns, -outputs) if manifest.merge.rule == "moments" else columns


def diagonal(state: State) -> Array:
    """View the diagonal of a comoment, in the columns of x and y."""
    comoment = state["state.comoment"][0]
    entries: Array = comoment.reshape(-1)[:: len(comoment) + 1]
    return entries[: state["state.mean"].shape[1]]


def check_count(before: float, after: float, absolute_weight_sum: float, history: History | None, field: str) -> bool:
    """See that no more weight is taken out than is there; returns whether nothing is left.

    Args:
        before: The sum of the weights.
        after: With the new ones.
        absolute_weight_sum: The sum of their sizes since the context was last empty.
        history: Of the context.
        field: The name of the weights in the request.

    Raises:
        InvalidInput: More is taken out.
        PrecisionLoss: Rounding hides how much is left.
    """
    rounding = CANCELLED * absolute_weight_sum
    if after < -rounding:
        text = f"takes out {before - after:g}; this context holds {before:g}. Take out no more than that."
        raise InvalidInput(Problem(field, text))
    if after <= rounding:
        if history is not None and 0 < history.least_weight <= 2.0 * rounding:
            raise hidden_count(field, absolute_weight_sum)
        return True
    if after < before and after < LEAST_SHARE * absolute_weight_sum:
        raise hidden_count(field, absolute_weight_sum)
    return False


def hidden_count(field: str, absolute_weight_sum: float) -> PrecisionLoss:
    """Make the error for a count that rounding hides."""
    text = (
        f"leaves a count that is rounding, compared with the weights of {absolute_weight_sum:g} that went into it. "
        "Make a new context of the observations that are right."
    )
    return PrecisionLoss(Problem(field, text), digits=0)


def check_weights(before: State, after: State, rows: Rows) -> None:
    """See that weights of at least 0 leave the digits of the sums of weights, and of their squares, that were there.

    Args:
        before: The state of ESTABLISHED observations or more.
        after: The state with the rows.
        rows: The observations.

    Raises:
        PrecisionLoss: They do not; the weight is named.
    """
    for name in (COUNT, SQUARES):
        if name in before and before[name][0] < LEAST_SHARE * after[name][0]:
            row, digits = int(rows.weight.argmax()), digits_of(before[name][0] / after[name][0])
            text = (
                f"is {rows.weight[row]:g}; all before weigh {before[COUNT][0]:g}, and would lose their digits. {REMEDY}"
            )
            raise PrecisionLoss(Problem(rows.weight_at(row), text), digits=digits)


def check_spread(manifest: Manifest, before: State, after: State, rows: Rows) -> None:
    """See that a column does not only have values whose squares are 0: models would take it for constant.

    Args:
        manifest: Of the model.
        before: The state before.
        after: The state after, of ESTABLISHED observations or more.
        rows: The observations.

    Raises:
        InvalidInput: It has only such values, and they differ; the last of them is named.
    """
    values = rows.counted_values()
    if "state.peak" not in after or not len(values) or not has_small(values[-1].tolist()):
        return
    now, was = (sums_of(manifest, state, None, rows.outputs) if COUNT in state else None for state in (after, before))
    highest, lowest, last = np.fmax.reduce(values), np.fmin.reduce(values), values[-1]
    differ = highest > lowest
    if was is not None and was.count[0] > 0:
        differ |= np.abs(last - was.mean) > ROUNDING * np.abs(was.mean)
    peak = now.peak if now is not None else np.inf
    vanish = differ & (last != 0) & (np.maximum(highest, -lowest) < SMALLEST_VALUE) & (peak < SMALLEST_VALUE**2)
    if vanish.any():
        column = int(vanish.argmax())
        text = (
            f"is {last[column]:g}, and this context has no value in the column whose square is a number in float64. "
            "Multiply the column, or send 0 for values so small."
        )
        row = len(rows.x) - 1 if rows.sent_weight is None else int(np.flatnonzero(rows.sent_weight)[-1])
        raise InvalidInput(Problem(rows.cell(row, column), text))


def may_be_costly(
    manifest: Manifest, before: State, after: State, history: History | None, earlier: History | None
) -> bool:
    """Whether observations of weights of at least 0 may have cost digits: a quick check without false negatives.

    Args:
        manifest: Of the model.
        before: The state before.
        after: The state after.
        history: After.
        earlier: Before.
    """
    if manifest.merge.rule == "scan":
        if history is None or earlier is None or history.sums is None or earlier.sums is None:
            return False
        was, now = earlier.sums[0], history.sums[0]
    else:
        was, now = diagonal(before), diagonal(after)
    return 1 in (was < LEAST_SHARE * now).tobytes()


def check_observed(before: Sums, after: Sums, rows: Rows) -> None:
    """See that observations of weights of at least 0 leave the digits of the earlier ones.

    Args:
        before: Of ESTABLISHED observations or more.
        after: With the rows.
        rows: The observations.

    Raises:
        PrecisionLoss: They do not; the cell is named.
    """
    costly = after.variation * LEAST_SHARE > before.variation
    if costly.any():
        costly &= before.variation > before.rounding()
    if costly.any():
        column = int(costly.argmax())
        distance = rows.weight * np.square(rows.values[:, column] - before.mean[column])
        row, digits = int(np.nanargmax(distance)), lost_to(before, after)
        text = (
            f"is {rows.values[row, column]:g}, so far from what this context has seen in the column that "
            f"{digits} of the {DIGITS} significant digits that its variation needs would be left, if this is taken "
            f"out again. {REMEDY}"
        )
        raise PrecisionLoss(Problem(rows.cell(row, column), text), digits=digits)


def check_joined(older: Sums, joined: Sums) -> None:
    """Check that another context leaves the digits of this one, which has ESTABLISHED observations or more.

    Raises:
        PrecisionLoss: It does not.
    """
    varied = older.variation > older.rounding()
    costly = varied & ((joined.variation * LEAST_SHARE > older.variation) | _is_lost(joined) & ~_is_lost(older))
    if not costly.any() and not joined.count[0] * LEAST_SHARE > older.count[0]:
        return
    digits = lost_to(older, joined)
    text = (
        f"has seen so much larger values or weights than this one that {digits} of the {DIGITS} significant digits "
        "that a variation needs would be left of this context. Merge contexts alike, or send allow_precision_loss: "
        "true if it is meant."
    )
    raise PrecisionLoss(Problem("context", text), digits=digits)


def _is_lost(sums: Sums) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = sums.variation < LEAST_SHARE * sums.peak
    return found


def lost_to(before: Sums, after: Sums) -> int:
    """Count the remaining digits of the earlier observations, in the column that has fewest."""
    varied = before.variation > before.rounding()
    now = np.maximum(after.peak, after.variation)
    share = np.divide(before.variation, now, out=np.ones_like(now), where=varied & (now > 0))
    return digits_of(min(float(share.min()), before.count[0] / after.count[0]))


def digits_left(sums: Sums | None, history: History | None) -> int | None:
    """Count the significant digits of the variation of the column that has fewest; None where none varies."""
    if sums is None or not (varies := sums.variation > sums.rounding()).any():
        return None
    digits = digits_of(float(sums.share()[varies].min()))
    return digits if history is None or history.digits is None else min(digits, history.digits)


def digits_of(share: float) -> int:
    """Count the whole digits of a sum that is this share of its peak."""
    return int(np.clip(np.floor(np.log10(max(share, EPSILON) / EPSILON)), 0, ALL_DIGITS))
