"""Checks observations, adds them to a state, and checks the result: see `precision` and `removal`."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from service.column_names import ColumnNames, arrange, width_with_names
from service.errors import InvalidInput, NumericOverflow, PrecisionLoss, Problem, UnsupportedByModel
from service.inference.artifact import Manifest
from service.inference.checks import (
    Limits,
    length_problems,
    magnitude_problems,
    missing_problems,
    share_problems,
    share_problems_of_one,
    size_problems,
    small_weight_problems,
    spread_problems,
    width_problems,
)
from service.inference.predictor import (
    Observations,
    check_finite,
    columns,
    run,
    width_of,
)
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.levels import Levels, check_levels, with_new_levels
from service.states import drift
from service.states.context_state import ContextState, FeatureScale, check_sums, declared
from service.states.drift import Infer
from service.states.forgetting import AUTO, Decay, fade, faded_squares, fading
from service.states.history import History, Rows
from service.states.precision import (
    ESTABLISHED,
    check_count,
    check_observed,
    check_spread,
    check_weights,
    may_be_costly,
    sums_of,
    takes_out,
)
from service.states.removal import check_taken_out, with_gross_peaks
from service.states.tensors import COUNT, SQUARES, State, has_negative_buffer


class Learned(NamedTuple):
    """The sums and the history of observations; by default of none."""

    state: State
    """Tensors by input name, B = 1; missing ones are zeros."""
    absolute_weight_sum: float = 0.0
    """Sum of the sizes of the weights since nothing was left last."""
    history: History | None = None
    """None of contexts that forget or learn in order, and of those of earlier versions."""

    def begun(self, manifest: Manifest, columns: int) -> "Learned":
        """Start the history of an empty context of C columns."""
        if self.absolute_weight_sum or self.history is not None:
            return self
        return self._replace(history=History.new(columns, sums=manifest.merge.rule == "scan"))

    def is_established(self) -> bool:
        """Whether there are enough observations to show the scale of each column."""
        return self.history is None or self.history.rows >= ESTABLISHED

    def with_digits(self, digits: int) -> "Learned":
        """Note to how many significant digits a column was brought."""
        if self.history is None:
            return self
        least = digits if self.history.digits is None else min(digits, self.history.digits)
        return self._replace(history=self.history._replace(digits=least))


def learn(
    runtime: Runtime,
    limits: Limits,
    state: ContextState,
    new: Observations,
    at: str = "",
    *,
    allow_precision_loss: bool = False,
    unnumbered: bool = False,
) -> ContextState:
    """Add observations.

    Args:
        runtime: The model.
        limits: On their columns.
        state: The state before.
        new: N > 0 observations; negative weights take observations out again.
        at: Where they stand in the request.
        allow_precision_loss: Whether earlier observations may lose significant digits.
        unnumbered: Whether the request has one observation rather than a list.

    Raises:
        PrecisionLoss: They cost digits, or cannot be taken out exactly.
        InvalidInput: Something does not fit; every field is named.
        NumericOverflow: Values are too large for sums of squares; every cell is named.
        UnsupportedByModel: The model cannot take observations out.
        NumericOverflow: The state is beyond floating point.
    """
    manifest = runtime.manifest
    if new.levels:
        check_levels(manifest, new.levels, new.x.shape[1], f"{at}levels")
    names = state.columns
    if new.columns is not None:
        new, names = arrange(names, new)
    check_observations(manifest, limits, state, new, at)
    levels = tuple(sorted(new.levels))
    state = widen(state, new.x.shape[1], levels, names)
    rows = Rows(new.x, columns(new.y), new.weight, new.y.ndim == 1, at, unnumbered)
    check_sums(state.n_observations + len(new.x), state.absolute_weight_sum + rows.absolute_weight_sum, f"{at}x")
    infer = partial(run, runtime, parameters={}, levels=levels)
    kept = learn_rows(manifest, infer, learned_of(state), state.decay, rows, allow_precision_loss=allow_precision_loss)
    after = replace(
        state,
        tensors=kept.state,
        absolute_weight_sum=kept.absolute_weight_sum,
        history=kept.history,
        n_observations=state.n_observations + len(new.x),
        n_counted=state.n_counted + (len(new.x) if new.weight is None else int(np.count_nonzero(new.weight))),
        inputs=new.x.shape[1],
        outputs=rows.outputs,
        y_is_1d=new.y.ndim == 1,
        columns=names,
        levels=levels,
    )
    return after if kept.absolute_weight_sum else replace(after, tensors={**kept.state, **declared(state.scale)})


def learned_of(state: ContextState) -> Learned:
    """Pick what learning changes; before the first observation the declared scale."""
    return Learned(state.tensors or declared(state.scale), state.absolute_weight_sum, state.history)


def learn_rows(
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
    state = _observe(manifest, infer, before.state, decay, rows)
    absolute_weight_sum = before.absolute_weight_sum + rows.absolute_weight_sum
    if decay not in {None, 1.0} or not takes_out(manifest):
        check_spread(manifest, before.state, state, rows)
        return Learned(state, absolute_weight_sum)
    before = before.begun(manifest, rows.x.shape[1] + rows.outputs)
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
    if after.is_established():
        check_spread(manifest, before.state, state, rows)
    if has_negative_buffer(before.state):
        return after._replace(state=with_gross_peaks(manifest, before.state, state, history, rows))
    return _checked(manifest, before, after, rows, allow_precision_loss=allow_precision_loss)


def widen(state: ContextState, inputs: int, levels: Levels, columns: ColumnNames) -> ContextState:
    """Add further columns of x, which are levels that no observation has had; exact, because they were 0.

    Args:
        state: With D columns of x or fewer.
        inputs: D.
        levels: The columns of x that are levels afterwards; every further column is one.
        columns: Names afterwards.

    Raises:
        InvalidInput: There are not D names.
    """
    if state.tensors is None or state.inputs is None or state.inputs == inputs:
        return state
    width_with_names(columns.x, inputs, "columns.x")
    further = inputs - state.inputs
    widened = with_further_levels(learned_of(state), inputs, state.outputs or 0, further, levels)
    none = (0.0,) * further
    return replace(
        state,
        tensors=widened.state,
        inputs=inputs,
        levels=levels,
        columns=columns,
        history=widened.history,
        scale=None if state.scale is None else FeatureScale(state.scale.center + none, state.scale.spread + none),
    )


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


def _checked(manifest: Manifest, before: Learned, after: Learned, rows: Rows, *, allow_precision_loss: bool) -> Learned:
    """Check observations of weights of at least 0 against those before."""
    if COUNT not in before.state or not before.is_established():
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
        return after.with_digits(loss.digits)
    return after


def _observe(manifest: Manifest, infer: Infer, state: State, decay: Decay, rows: Rows) -> dict[str, Array]:
    """Learn further observations into the state of one context.

    Args:
        manifest: Of the model.
        infer: The model.
        state: Before; of nothing observed yet the declared scale of features, or nothing.
        decay: How it forgets.
        rows: The observations.
    """
    weight = np.ones(len(rows.x)) if rows.sent_weight is None else rows.sent_weight
    if decay == AUTO:
        return drift.observe(manifest, infer, state, (rows.x, rows.y, weight))
    if decay is not None:
        weight, share = fading(decay, weight)
        state = fade(manifest, state, share) if COUNT in state else state
    outputs = infer({**state, "x": rows.x[None], "y": rows.y[None], "weight": weight[None]})
    learnt = {name: outputs[after] for name, after in manifest.next_names.items()}
    if decay is not None and SQUARES in learnt:
        learnt[SQUARES] = faded_squares(rows.sent_weight, weight) + state.get(SQUARES, 0.0)
        check_finite([learnt[SQUARES]], manifest, {})
    return learnt


def check_observations(manifest: Manifest, limits: Limits, state: ContextState, new: Observations, at: str) -> None:
    """See that observations can be learnt after those before.

    Raises:
        InvalidInput: Something does not fit; every field is named.
        NumericOverflow: Values are too large for sums of squares; every cell is named.
        UnsupportedByModel: The model cannot take observations out.
    """
    if len(new.x) == 0:
        raise InvalidInput(Problem(f"{at}x", "has no rows. Send at least one observation."))
    problems = length_problems(new.x, new.y, new.weight, at)
    if not problems:
        problems = [
            *_column_problems(manifest, state, new, at),
            *size_problems(
                limits,
                inputs=new.x.shape[1],
                outputs=width_of(new.y),
                observations=len(new.x),
                columns_field="context",
                x_field=f"{at}x",
            ),
            *([] if new.weight is None else _weight_problems(new.weight, state, at)),
            *spread_problems(f"{at}x", new.x),
            *spread_problems(f"{at}y", new.y),
            *missing_problems(manifest, f"{at}x", new.x),
            *share_problems(manifest, f"{at}y", new.y),
        ]
    if problems:
        raise InvalidInput(*problems)
    _check_magnitudes(manifest, new.x, new.y, at)
    if manifest.merge.rule == "none" and new.weight is not None and (new.weight < 0).any():
        problem = f"must not be negative: model {manifest.name} learns in order, and cannot take observations out."
        raise UnsupportedByModel(Problem(f"{at}weight", problem))


def _check_magnitudes(manifest: Manifest, x: Array, y: Array, at: str) -> None:
    large = magnitude_problems(f"{at}x", x)
    if manifest.task != "classification":
        large += magnitude_problems(f"{at}y", y)
    if large:
        raise NumericOverflow(*large)


def _column_problems(manifest: Manifest, state: ContextState, new: Observations, at: str) -> list[Problem]:
    """Observations must have the columns of the model, and of the declaration or the observations of the context."""
    inputs, outputs = new.x.shape[1], width_of(new.y)
    x, y = f"{at}x", f"{at}y"
    of_model = width_problems(
        ((x, inputs, manifest.dims["D"]), (y, outputs, manifest.dims["K"])), f"model {manifest.name}"
    )
    if of_model:
        return of_model
    known, levels = state.inputs, {*new.levels}
    if state.tensors is not None and known is not None and (levels or state.levels):
        further = range(known, inputs)
        if inputs >= known and levels >= {*further}:
            known = inputs
        if inputs == known and levels != {*state.levels, *further}:
            text = f"are {sorted(levels)}; this context has {[*state.levels, *further]}. Send these."
            return [Problem(f"{at}levels", text[:200])]
    if state.tensors is not None and (new.y.ndim == 1, outputs) != (state.y_is_1d, state.outputs):
        came = "numbers" if new.y.ndim == 1 else f"rows of {outputs}"
        before = "numbers" if state.y_is_1d else f"rows of {state.outputs}"
        shape = [Problem(y, f"is {came}; this context takes {before}. Send {before}.")]
        return [*width_problems(((x, inputs, known),), "this context"), *shape]
    return width_problems(((x, inputs, known), (y, outputs, state.outputs)), "this context")


def _weight_problems(weight: Array, state: ContextState, at: str) -> list[Problem]:
    size = np.abs(weight)
    largest = np.finfo(weight.dtype).max
    if size.max() > largest / len(weight) or state.absolute_weight_sum > largest - size.sum():
        return [
            Problem(f"{at}weight", f"sums to more than {weight.dtype} holds, with those before. Send smaller weights.")
        ]
    if state.forgets and (weight < 0).any():
        text = f"must not be negative: this context forgets (decay {state.decay}), and what has faded is not known."
        return [Problem(f"{at}weight", f"{text} Weigh observations by 0 or more.")]
    return small_weight_problems(f"{at}weight", state.absolute_weight_sum + float(size.max()))


def check_step(manifest: Manifest, new: Observations | None, query: Array | None) -> None:
    """See that the model takes a step's single rows; `learn` would name them by their place among several.

    Raises:
        InvalidInput: A cell is missing where the model takes none, or y is no share of classes.
        NumericOverflow: A value is too large for sums of squares.
    """
    problems = []
    if new is not None:
        problems += missing_problems(manifest, "observation.x", new.x[0])
        problems += share_problems_of_one(manifest, "observation.y", new.y)
    if query is not None:
        problems += missing_problems(manifest, "query", query[0])
    if problems:
        raise InvalidInput(*problems)
    if new is not None:
        _check_magnitudes(manifest, new.x[0], new.y[0], "observation.")
