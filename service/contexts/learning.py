"""Adds observations to a state and checks the result: see `precision` and `removal`."""

from typing import NamedTuple

import numpy as np

from service.contexts import drift
from service.contexts.decay_setting import AUTO, RULE, Decay
from service.contexts.drift import Infer, check_averages
from service.contexts.forgetting import COUNT, SQUARES, check_forgets, fade, faded_squares, fading
from service.contexts.history import History
from service.contexts.merge import State
from service.contexts.precision import (
    ESTABLISHED,
    check_joined,
    check_observed,
    check_weights,
    may_be_costly,
    new_history,
    sums_of,
    takes_out,
)
from service.contexts.removal import check_count, check_taken_out, has_negative_buffer, with_gross_peaks
from service.contexts.rows import Rows
from service.errors import InvalidInput, PrecisionLoss, Problem
from service.inference.artifact import Manifest, next_name
from service.inference.predictor import check_finite
from service.inference.sizes import Array
from service.levels import Levels, with_new_levels

Observed = tuple[Array, Array, Array | None]
"""x (N, D), y (N, K) and weight (N,), None for ones."""


class Learned(NamedTuple):
    """The sums and the history of observations; by default of none."""

    state: State
    """Tensors by input name, B = 1; missing ones are zeros."""
    absolute_weight_sum: float = 0.0
    """Sum of the sizes of the weights since nothing was left last."""
    history: History | None = None
    """None of contexts that forget or learn in order, and of those of earlier versions."""


Kept = Learned
"""The former name, by which estimators that earlier versions pickled refer to it."""


def learn(
    manifest: Manifest, infer: Infer, before: Learned, decay: Decay, rows: Rows, *, allow_precision_loss: bool = False
) -> Learned:
    """Learn further observations.

    Args:
        manifest: Of the model.
        infer: The model.
        before: The context before them.
        decay: How it forgets.
        rows: The observations.
        allow_precision_loss: Whether earlier observations may lose digits.

    Returns:
        The context after them; with zeros for the state where all were removed.

    Raises:
        PrecisionLoss: Digits are lost.
        InvalidInput: More is taken out than is there.
        NumericOverflow: The state is beyond floating point.
    """
    state = _observe(manifest, infer, before.state, decay, (rows.x, rows.y, rows.sent_weight))
    absolute_weight_sum = before.absolute_weight_sum + rows.absolute_weight_sum
    if decay not in {None, 1.0} or not takes_out(manifest):
        return Learned(state, absolute_weight_sum)
    before = _begun(manifest, before, rows.x.shape[1] + rows.outputs)
    history = None if before.history is None else before.history.with_rows(rows)
    after = Learned(state, absolute_weight_sum, history)
    count = float(before.state[COUNT][0]) if COUNT in before.state else 0.0
    if check_count(count, float(state[COUNT][0]), absolute_weight_sum, history, f"{rows.at}weight"):
        return Learned({name: np.zeros_like(tensor) for name, tensor in state.items()})
    if rows.takes_out:
        return after._replace(
            state=check_taken_out(
                manifest, before.state, state, rows, history=history, absolute_weight_sum=absolute_weight_sum
            )
        )
    if has_negative_buffer(before.state):
        return after._replace(state=with_gross_peaks(manifest, before.state, state, history, rows))
    return _checked(manifest, before, after, rows, allow_precision_loss=allow_precision_loss)


def with_further_levels(before: Learned, inputs: int, outputs: int, further: int, levels: Levels) -> Learned:
    """Add further columns of x, which are levels that no observation has had; exact, because they were 0.

    Args:
        before: Of observations with D − `further` columns of x.
        inputs: D.
        outputs: K.
        further: How many columns.
        levels: The columns of x that are levels afterwards; every further column is one.
    """
    batch = len(before.state[COUNT])
    sizes = {"x": np.zeros((batch, 0, inputs)), "y": np.zeros((batch, 0, outputs))}
    state = {**before.state, **with_new_levels({**before.state, **sizes}, levels)}
    if drift.X in state:
        state[drift.X] = np.pad(state[drift.X], ((0, 0), (0, further)))
    history = None if before.history is None else before.history.with_zeros(further)
    return before._replace(state=state, history=history)


def join(
    manifest: Manifest,
    sides: tuple[Learned, Learned],
    state: State,
    *,
    inputs: int,
    outputs: int,
    allow_precision_loss: bool,
) -> Learned:
    """Keep what two contexts have seen that forget nothing.

    Args:
        manifest: Of their model.
        sides: The context that takes in the other, and the other.
        state: Of both.
        inputs: D.
        outputs: K.
        allow_precision_loss: Whether the first may lose its digits.

    Raises:
        PrecisionLoss: It does.
    """
    older, newer = (_begun(manifest, side, inputs + outputs) for side in sides)
    both = None
    if older.history is not None and newer.history is not None:
        both = older.history.with_other(newer.history)
    joined = Learned(state, older.absolute_weight_sum + newer.absolute_weight_sum, both)
    before, after = (sums_of(manifest, kept.state, kept.history, outputs) for kept in (older, joined))
    if before is None or after is None or not _is_established(older.history):
        return joined
    try:
        check_joined(before, after)
    except PrecisionLoss as loss:
        if not allow_precision_loss:
            raise
        return _with_digits(joined, loss.digits)
    return joined


def _checked(manifest: Manifest, before: Learned, after: Learned, rows: Rows, *, allow_precision_loss: bool) -> Learned:
    """Check observations of weights of at least 0 against those before."""
    if COUNT not in before.state or not _is_established(before.history):
        return after
    try:
        check_weights(before.state, after.state, rows)
        if may_be_costly(manifest, before.state, after.state, after.history, before.history):
            sums = [sums_of(manifest, kept.state, kept.history, rows.outputs) for kept in (before, after)]
            if sums[0] is not None and sums[1] is not None:
                check_observed(sums[0], sums[1], rows)
    except PrecisionLoss as loss:
        if not allow_precision_loss:
            raise
        return _with_digits(after, loss.digits)
    return after


def _begun(manifest: Manifest, kept: Learned, columns: int) -> Learned:
    """Start the history of an empty context."""
    if kept.absolute_weight_sum or kept.history is not None:
        return kept
    return kept._replace(history=new_history(manifest, columns))


def _is_established(history: History | None) -> bool:
    return history is None or history.rows >= ESTABLISHED


def _with_digits(kept: Learned, digits: int) -> Learned:
    if kept.history is None:
        return kept
    least = digits if kept.history.digits is None else min(digits, kept.history.digits)
    return kept._replace(history=kept.history._replace(digits=least))


def check_decay(manifest: Manifest, decay: float | str | None) -> None:
    """See that a decay is one, and that the model can forget so.

    Raises:
        InvalidInput: It is not.
        UnsupportedByModel: The model cannot.
    """
    if decay is None:
        return
    if decay == AUTO:
        check_averages(manifest)
        return
    if isinstance(decay, str) or not 0 < decay <= 1:
        text = f"{RULE}; this is {decay!r}. It is the factor on the weight of an observation after one more."
        raise InvalidInput(Problem("decay", text))
    check_forgets(manifest)


def _observe(manifest: Manifest, infer: Infer, state: State, decay: Decay, observations: Observed) -> dict[str, Array]:
    """Learn further observations into the state of one context.

    Args:
        manifest: Of the model.
        infer: The model.
        state: Before; of nothing observed yet the declared scale of features, or nothing.
        decay: How it forgets.
        observations: N of them.
    """
    x, y, sent = observations
    weight = np.ones(len(x)) if sent is None else sent
    if decay == AUTO:
        return drift.observe(manifest, infer, state, (x, y, weight))
    if decay is not None:
        weight, share = fading(decay, weight)
        state = fade(manifest, state, share) if COUNT in state else state
    outputs = infer({**state, "x": x[None], "y": y[None], "weight": weight[None]})
    learnt = {spec.name: outputs[next_name(spec.name)] for spec in manifest.state}
    if decay is not None and SQUARES in learnt:
        learnt[SQUARES] = faded_squares(sent, weight) + state.get(SQUARES, 0.0)
        check_finite([learnt[SQUARES]], manifest, {})
    return learnt
