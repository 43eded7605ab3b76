"""The state of a context, and how observations, queries and other states change it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from service.column_names import NO_NAMES, ColumnNames
from service.contexts import drift, learning
from service.contexts.cache import ReadoutCache
from service.contexts.column_order import arrange, join_names, width_with_names
from service.contexts.decay_setting import AUTO, Decay
from service.contexts.feature_scale import FeatureScale, check_scale, declared
from service.contexts.fitting import check_observations, check_sums, looks_of
from service.contexts.forgetting import COUNT, fade
from service.contexts.history import History
from service.contexts.learning import Learned, check_decay
from service.contexts.merge import State, check_merges, is_buffered, merge
from service.contexts.precision import digits_left, sums_of, takes_out
from service.contexts.rows import Rows
from service.errors import InvalidInput, Problem, UnsupportedByModel
from service.inference.artifact import Manifest
from service.inference.cells import buffered
from service.inference.checks import Limits, missing_problems, parameter_problems, query_problems, size_problems
from service.inference.distribution import NOTHING, Wanted, check_wanted
from service.inference.predictor import (
    Observations,
    Prediction,
    check_finite,
    columns,
    prediction_of,
    run,
    scale_flag,
)
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.levels import Levels, check_levels


@dataclass(frozen=True)
class ContextState:
    """Tensors and numbers of constant size for all observations of a context; by default of none."""

    tensors: State | None = None
    """By input name, B = 1, and see `drift` for a decay that is chosen; None until the first observation."""
    decay: Decay = None
    n_observations: int = 0
    """Rows observed, whatever their weights."""
    n_counted: int = 0
    """Rows observed whose weight was not 0."""
    absolute_weight_sum: float = 0.0
    """Sum of the sizes of the weights since the context was last empty."""
    inputs: int | None = None
    """D; None until the first observation, where the model does not fix it."""
    outputs: int | None = None
    """K; None until the first observation, where the model does not fix it."""
    y_is_1d: bool | None = None
    """Whether y comes as numbers (N,) rather than rows (N, K); None until the first observation."""
    scale: FeatureScale | None = None
    """What the features of x are scaled by, if it was declared; None leaves it to the first observations."""
    history: History | None = None
    """What the sums do not say of the observations; None where nothing can be taken out, and of earlier versions."""
    columns: ColumnNames = NO_NAMES
    """Names of the columns of x and y."""
    levels: Levels = ()
    """The columns of x that are levels of categories, in order."""

    @property
    def count(self) -> float:
        """Sum of the weights; 0 if the context is empty."""
        if self.tensors is None:
            return 0.0
        return float(self.tensors[COUNT][0]) + float(self.tensors.get(drift.WEIGHT, np.zeros(0)).sum())

    @property
    def is_empty(self) -> bool:
        """Whether nothing was observed, or nothing is left."""
        return self.count == 0

    @property
    def forgets(self) -> bool:
        """Whether older observations count less."""
        return self.decay not in {None, 1.0}

    def digits_left(self, manifest: Manifest) -> int | None:
        """Count the significant digits of the variation of the column that has fewest; None where none varies."""
        if self.tensors is None or self.is_empty or not takes_out(manifest):
            return None
        return digits_left(sums_of(manifest, self.tensors, self.history, self.outputs or 0), self.history)

    @property
    def memory_length(self) -> float | None:
        """Effective number of observations that are remembered, where the decay is chosen by itself; else None."""
        if self.decay != AUTO:
            return None
        return 0.0 if self.tensors is None else drift.memory_length(self.tensors)


def new_state(
    manifest: Manifest, decay: Decay, scale: FeatureScale | None = None, columns: ColumnNames = NO_NAMES
) -> ContextState:
    """Start without an observation.

    Args:
        manifest: Of the model that will learn.
        decay: In (0, 1], or auto; None forgets nothing.
        scale: Of its features, for contexts that are to be merged; None leaves it to the first observations.
        columns: Names of the columns of x and y, if they are known already.

    Raises:
        UnsupportedByModel: The model has no state, cannot forget, or has no features.
        InvalidInput: The decay is not in its range, the scale is none, or there are not as many names as columns.
    """
    check_streams(manifest)
    check_decay(manifest, decay)
    inputs, outputs = (None if size == "any" else size for size in (manifest.dims["D"], manifest.dims["K"]))
    if scale is not None:
        check_scale(manifest, scale)
        inputs = len(scale.center)
    inputs = width_with_names(columns.x, inputs, "columns.x")
    outputs = width_with_names(columns.y, outputs, "columns.y")
    return ContextState(decay=decay, inputs=inputs, outputs=outputs, scale=scale, columns=columns)


def check_streams(manifest: Manifest) -> None:
    """See that a context of a model can be kept: it has a state, which counts its observations.

    Raises:
        UnsupportedByModel: It has not.
    """
    if COUNT not in {spec.name for spec in manifest.state}:
        problem = f"Model {manifest.name} has no state to keep; it answers from a whole context at once: predict."
        raise UnsupportedByModel(Problem("model", problem))


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
        UnsupportedByModel: The model cannot take observations out.
        NumericOverflow: The state is beyond floating point.
    """
    manifest = runtime.manifest
    if new.levels:
        check_levels(manifest, new.levels, new.x.shape[1], f"{at}levels")
    new, names = arrange(state.columns, new)
    check_observations(manifest, limits, state, new, at)
    levels = tuple(sorted(new.levels))
    state = widen(state, new.x.shape[1], levels, names)
    rows = Rows(new.x, columns(new.y), new.weight, new.y.ndim == 1, at, unnumbered)
    check_sums(state.n_observations + len(new.x), state.absolute_weight_sum + rows.absolute_weight_sum, f"{at}x")
    infer = partial(run, runtime, parameters={}, levels=levels)
    kept = learning.learn(manifest, infer, _kept(state), state.decay, rows, allow_precision_loss=allow_precision_loss)
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
    widened = learning.with_further_levels(_kept(state), inputs, state.outputs or 0, further, levels)
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


def answer(
    runtime: Runtime,
    limits: Limits,
    state: ContextState,
    query: Array,
    parameters: Mapping[str, float] | None = None,
    *,
    wanted: Wanted = NOTHING,
    readouts: ReadoutCache | None = None,
) -> Prediction:
    """Answer queries, in the shape in which y came in.

    Args:
        runtime: The model.
        limits: On the queries.
        state: The state.
        query: (M, D).
        parameters: By name.
        wanted: An interval and quantiles.
        readouts: Keeps what a state answers with, for models that work it out.

    Raises:
        InvalidInput: Something does not fit, or there is nothing yet to answer from.
        UnsupportedByModel: The model gives no interval.
        NumericOverflow: The answer is beyond floating point.
    """
    manifest, parameters = runtime.manifest, parameters or {}
    if state.tensors is None or state.is_empty:
        raise InvalidInput(Problem("", "The context is empty: it has observed nothing, or all was taken out. Observe."))
    problems = [
        *query_problems(query.shape[1], state.inputs, "this context"),
        *size_problems(limits, inputs=query.shape[1], outputs=state.outputs or 0, queries=len(query)),
        *parameter_problems(manifest, parameters),
        *missing_problems(manifest, "query", query),
    ]
    if problems:
        raise InvalidInput(*problems)
    check_wanted(manifest, wanted)
    outputs = _outputs(runtime, state, query, parameters, wanted=wanted, readouts=readouts or ReadoutCache())
    shape = () if state.y_is_1d else (state.outputs or 0,)
    return prediction_of(manifest, outputs, shape, state.n_observations, wanted, levels=len(state.levels))


def _outputs(
    runtime: Runtime,
    context_state: ContextState,
    query: Array,
    parameters: Mapping[str, float],
    *,
    wanted: Wanted,
    readouts: ReadoutCache,
) -> Mapping[str, Array]:
    """Run the graph with what the state answered with before, or else keep that."""
    manifest, state = runtime.manifest, context_state.tensors or {}
    flag, found, levels = scale_flag(manifest, wanted), readouts.find(state, wanted), context_state.levels
    if context_state.decay != AUTO:
        outputs = run(runtime, {**state, **found, "x_query": query[None], **flag}, parameters, levels)
        if not found:
            readouts.keep(state, wanted, runtime.readout_of(outputs))
        return outputs
    now = found or drift.settled(manifest, partial(run, runtime, parameters={}, levels=levels), state)
    outputs = run(runtime, {**drift.of_model(now), **drift.asked(query), **flag}, parameters, levels)
    if not found:
        readouts.keep(state, wanted, {**now, **runtime.readout_of(outputs)})
    return drift.average(now, outputs)


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
            f"The contexts do not fit: one has {looks_of(older)}, the other {looks_of(newer)}. Merge contexts alike."
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
        kept = learning.join(
            manifest,
            (_kept(older), _kept(newer)),
            kept.state,
            inputs=older.inputs or 0,
            outputs=older.outputs or 0,
            allow_precision_loss=allow_precision_loss,
        )
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


def _kept(state: ContextState) -> Learned:
    return Learned(state.tensors or declared(state.scale), state.absolute_weight_sum, state.history)


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
