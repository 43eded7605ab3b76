"""What a context remembers of its observations: a state of constant size, and how they looked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from service.artifact import Manifest
from service.cells import buffered, missing_problems
from service.contexts.feature_scale import FeatureScale, check_scale, declared
from service.contexts.forgetting import check_forgets, fade, fading
from service.contexts.merge import State, check_merges, is_buffered, merge
from service.contexts.readouts import Readouts
from service.distribution import NOTHING, Wanted, check_wanted
from service.errors import InvalidInput, Problem, UnsupportedByModel
from service.predictor import (
    Context,
    Limits,
    Prediction,
    columns,
    count_problems,
    length_problems,
    parameter_problems,
    prediction_of,
    run,
    scale_flag,
    size_problems,
    width_of,
    width_problems,
)
from service.runtime import Runtime
from service.shapes import Array

SQUARES = "state.count_of_squares"
COUNT = "state.count"
"""The state tensor (B,) that every model keeps: the sum of the weights."""
CANCELLED = 1e-12
"""A count this small beside the weights that went into it is rounding: nothing is left."""


@dataclass(frozen=True)
class Memory:
    """All that is kept of a context's observations; as it is made, of none."""

    state: State | None = None
    """Tensors by input name, B = 1; None until the first observation."""
    decay: float | None = None
    """What is left of the weight of an observation after one more; None forgets nothing."""
    n_observations: int = 0
    """Rows observed, whatever their weights."""
    n_counted: int = 0
    """Rows observed whose weight was not 0."""
    turnover: float = 0.0
    """Sum of the sizes of the weights since the context was last empty."""
    inputs: int | None = None
    """D; None until the first observation, where the model does not fix it."""
    outputs: int | None = None
    """K, likewise."""
    flat_y: bool | None = None
    """Whether y comes as numbers (N,) rather than rows (N, K); None until the first observation."""
    scale: FeatureScale | None = None
    """What the features of x are scaled by, if it was declared; None leaves it to the first observations."""

    @property
    def count(self) -> float:
        """Sum of the weights of what is there; 0 is empty."""
        return 0.0 if self.state is None else float(self.state[COUNT][0])

    @property
    def is_empty(self) -> bool:
        """Whether nothing was observed, or nothing is left."""
        return self.count == 0

    @property
    def forgets(self) -> bool:
        """Whether older observations count less."""
        return self.decay not in {None, 1.0}


def new_memory(manifest: Manifest, decay: float | None, scale: FeatureScale | None = None) -> Memory:
    """Start without an observation.

    Args:
        manifest: Of the model that will learn.
        decay: In (0, 1]; None forgets nothing.
        scale: Of its features, for contexts that are to be merged; None leaves it to the first observations.

    Raises:
        UnsupportedByModel: The model has no state, cannot forget, or has no features.
        InvalidInput: The decay is not in its range, or the scale is none.
    """
    check_streams(manifest)
    if decay is not None:
        if not 0 < decay <= 1:
            problem = (
                f"must be above 0 and at most 1; this is {decay:g}. It is what is left after one observation more."
            )
            raise InvalidInput(Problem("decay", problem))
        check_forgets(manifest)
    inputs, outputs = (None if size == "any" else size for size in (manifest.dims["D"], manifest.dims["K"]))
    if scale is not None:
        check_scale(manifest, scale)
        inputs = len(scale.center)
    return Memory(decay=decay, inputs=inputs, outputs=outputs, scale=scale)


def check_streams(manifest: Manifest) -> None:
    """See that a context of a model can be kept: it has a state, which counts what is in it.

    Raises:
        UnsupportedByModel: It has not.
    """
    if COUNT not in {spec.name for spec in manifest.state}:
        problem = f"Model {manifest.name} has no state to keep; it answers from a whole context at once: predict."
        raise UnsupportedByModel(Problem("model", problem))


def learn(runtime: Runtime, limits: Limits, memory: Memory, new: Context, at: str = "") -> Memory:
    """Add observations.

    Args:
        runtime: The model.
        limits: On their columns.
        memory: What was there before.
        new: N > 0 observations; negative weights take observations out again.
        at: Where they stand in the request.

    Raises:
        InvalidInput: Something does not fit; every field is named.
        UnsupportedByModel: The model cannot take observations out.
        NumericOverflow: The state is beyond floating point.
    """
    _check(runtime.manifest, limits, memory, new, at)
    weight = np.ones(len(new.x)) if new.weight is None else new.weight
    counted, turnover = int(np.count_nonzero(weight)), memory.turnover + float(np.abs(weight).sum())
    state = memory.state or declared(memory.scale)
    if memory.decay is not None:
        weight, share = fading(memory.decay, weight)
        state = fade(runtime.manifest, state, share) if memory.state else state
    tensors = {**state, "x": new.x[None], "y": columns(new.y)[None], "weight": weight[None]}
    learnt = runtime.state_after(run(runtime, tensors, {}))
    if memory.decay is not None and SQUARES in learnt:
        learnt[SQUARES] = _faded_squares(new.weight, weight) + state.get(SQUARES, np.zeros(1))
    after = replace(
        memory,
        state=learnt,
        n_observations=memory.n_observations + len(new.x),
        n_counted=memory.n_counted + counted,
        turnover=turnover,
        inputs=new.x.shape[1],
        outputs=width_of(new.y),
        flat_y=new.y.ndim == 1,
    )
    return after if memory.forgets else _without_remains(memory, after, at)


def _faded_squares(sent: Array | None, faded: Array) -> Array:
    """Sum e·λ^2k over new observations, e being w for a whole-number weight w and w·|w| for others; (1,).

    The graph would take a faded whole number for a fraction.
    """
    if sent is None:
        return np.array([np.square(faded).sum()])
    share = np.divide(faded, sent, out=np.zeros_like(faded), where=sent != 0)
    own = np.where(sent == np.floor(sent), sent, sent * np.abs(sent))
    return np.array([(own * share * share).sum()])


def answer(
    runtime: Runtime,
    limits: Limits,
    memory: Memory,
    query: Array,
    parameters: Mapping[str, float] | None = None,
    *,
    wanted: Wanted = NOTHING,
    readouts: Readouts | None = None,
) -> Prediction:
    """Answer queries, in the shape in which y came in.

    Args:
        runtime: The model.
        limits: On the queries.
        memory: What was observed.
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
    if memory.state is None or memory.is_empty:
        raise InvalidInput(Problem("", "The context is empty: it has observed nothing, or all was taken out. Observe."))
    problems = [
        *_query_problems(memory, query),
        *size_problems(limits, query.shape[1], memory.outputs or 0, len(query)),
        *parameter_problems(manifest, parameters),
        *missing_problems(manifest, "query", query),
    ]
    if problems:
        raise InvalidInput(*problems)
    check_wanted(manifest, wanted)
    found = readouts.find(memory.state, wanted) if readouts is not None else {}
    tensors = {**memory.state, **found, "x_query": query[None], **scale_flag(manifest, wanted)}
    outputs = run(runtime, tensors, parameters)
    if readouts is not None and not found:
        readouts.keep(memory.state, wanted, runtime.readout_of(outputs))
    shape = () if memory.flat_y else (memory.outputs or 0,)
    return prediction_of(manifest, outputs, shape, memory.n_observations, wanted)


def join(runtime: Runtime, older: Memory, newer: Memory) -> Memory:
    """Remember what two contexts of one model and decay have seen, as if one came after the other.

    Raises:
        InvalidInput: They were observed with different widths, or scale their features differently.
        UnsupportedByModel: States of the model do not merge.
        NumericOverflow: The state is beyond floating point.
    """
    manifest = runtime.manifest
    check_merges(manifest)
    if newer.state is None:
        return older
    if older.state is None:
        return newer
    looks = [(memory.inputs, memory.outputs, memory.flat_y) for memory in (older, newer)]
    if looks[0] != looks[1]:
        problem = f"The contexts do not fit: one has {_looks(older)}, the other {_looks(newer)}. Merge contexts alike."
        raise InvalidInput(Problem("", problem))
    share = 1.0 if older.decay is None else older.decay**newer.n_counted
    faded = older.state if share == 1.0 else fade(manifest, older.state, share)
    return replace(
        older,
        state=_joined(runtime, faded, newer.state),
        n_observations=older.n_observations + newer.n_observations,
        n_counted=older.n_counted + newer.n_counted,
        turnover=older.turnover + newer.turnover,
    )


def _joined(runtime: Runtime, older: State, newer: State) -> State:
    """Merge states; observations that one still holds as they came are learnt by the other."""
    if is_buffered(newer):
        return runtime.state_after(run(runtime, {**older, **buffered(newer)}, {}))
    if is_buffered(older):
        return runtime.state_after(run(runtime, {**newer, **buffered(older)}, {}))
    return merge(runtime.manifest, older, newer)


def _check(manifest: Manifest, limits: Limits, memory: Memory, new: Context, at: str) -> None:
    if len(new.x) == 0:
        raise InvalidInput(Problem(f"{at}x", "has no rows. Send at least one observation."))
    problems = length_problems(new, at)
    if not problems:
        problems = [
            *(width_problems(manifest, new, at) if memory.state is None else _look_problems(memory, new, at)),
            *count_problems(limits, new, at),
            *size_problems(limits, new.x.shape[1], width_of(new.y), 0),
            *([] if new.weight is None else _weight_problems(new.weight, memory, at)),
            *missing_problems(manifest, f"{at}x", new.x),
        ]
    if not problems and memory.state is None and memory.scale is not None and new.x.shape[1] != memory.inputs:
        text = f"has {new.x.shape[1]} columns; the scale of this context is for {memory.inputs}. Send {memory.inputs}."
        problems = [Problem(f"{at}x", text)]
    if problems:
        raise InvalidInput(*problems)
    if manifest.merge.rule == "none" and new.weight is not None and (new.weight < 0).any():
        problem = f"must not be negative: model {manifest.name} learns in order, and cannot take observations out."
        raise UnsupportedByModel(Problem(f"{at}weight", problem))


def _look_problems(memory: Memory, new: Context, at: str) -> list[Problem]:
    """Observations must look like those before."""
    problems = []
    inputs, outputs = new.x.shape[1], width_of(new.y)
    if inputs != memory.inputs:
        text = f"has {inputs} columns; this context was observed with {memory.inputs}. Send {memory.inputs}."
        problems.append(Problem(f"{at}x", text))
    if (new.y.ndim == 1, outputs) != (memory.flat_y, memory.outputs):
        came = "numbers" if new.y.ndim == 1 else f"rows of {outputs}"
        before = "numbers" if memory.flat_y else f"rows of {memory.outputs}"
        problems.append(Problem(f"{at}y", f"is {came}; this context was observed with {before}. Send {before}."))
    return problems


def _weight_problems(weight: Array, memory: Memory, at: str) -> list[Problem]:
    if np.abs(weight).max() > np.finfo(weight.dtype).max / len(weight):
        return [Problem(f"{at}weight", f"sums to more than {weight.dtype} holds. Send smaller weights.")]
    if memory.forgets and (weight < 0).any():
        text = f"must not be negative: this context forgets (decay {memory.decay:g}), and what has faded is not known."
        return [Problem(f"{at}weight", f"{text} Weigh observations by 0 or more.")]
    return []


def _query_problems(memory: Memory, query: Array) -> list[Problem]:
    sent, observed = query.shape[1], memory.inputs
    if sent == observed:
        return []
    text = f"has {sent} features; this context was observed with {observed}. Send {observed} features per query."
    return [Problem("query", text)]


def _without_remains(before: Memory, after: Memory, at: str) -> Memory:
    """Where the weights have cancelled to nothing, leave nothing, rather than what rounding left of the sums."""
    rounding = CANCELLED * after.turnover
    if after.count < -rounding:
        taken = before.count - after.count
        text = f"takes out {taken:g}; this context holds {before.count:g}. Take out no more than that."
        raise InvalidInput(Problem(f"{at}weight", text))
    if after.count > rounding:
        return after
    nothing = {name: np.zeros_like(tensor) for name, tensor in (after.state or {}).items()}
    return replace(after, state=nothing | declared(after.scale), turnover=0.0)


def _looks(memory: Memory) -> str:
    y = "y of numbers" if memory.flat_y else f"y of {memory.outputs} columns"
    return f"{memory.inputs} columns of x and {y}"
