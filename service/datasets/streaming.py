"""Predictions from chunks, so that neither observations nor queries have to fit into memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from service.errors import InvalidInput, Problem
from service.inference.artifact import Manifest
from service.inference.checks import parameter_problems
from service.inference.distribution import NOTHING, Wanted, check_wanted
from service.inference.predictor import Observations, Prediction, Predictor
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.states.context_state import ContextState, answer, new_state
from service.states.learning import learn
from service.states.readouts import ReadoutCache
from service.states.tensors import COUNT


def predictions(
    predictor: Predictor,
    runtime: Runtime,
    observations: Iterable[Observations],
    queries: Iterable[Array],
    parameters: Mapping[str, float],
    *,
    wanted: Wanted = NOTHING,
) -> Iterator[Prediction]:
    """Learn observations in chunks, then answer queries in chunks.

    A model that streams needs memory for its state and one chunk; other models need the whole context.

    Args:
        predictor: Has the limits, which apply to one chunk.
        runtime: The model.
        observations: One context, in chunks.
        queries: Each (M, D).
        parameters: By name.
        wanted: An interval and quantiles.

    Yields:
        A prediction for each chunk of queries.

    Raises:
        InvalidInput: Something does not fit.
        UnsupportedByModel: The model gives no interval.
    """
    check_asked(runtime.manifest, parameters, wanted)
    if COUNT not in {spec.name for spec in runtime.manifest.state}:
        whole = _whole(observations, predictor.limits.max_observations, runtime.manifest.name)
        for query in queries:
            yield predictor.answer(runtime, whole, query, parameters, wanted)
        return
    state = learned(predictor, runtime, new_state(runtime.manifest, decay=None), observations)
    yield from answers(predictor, runtime, state, queries, parameters, wanted=wanted)


def check_asked(manifest: Manifest, parameters: Mapping[str, float], wanted: Wanted) -> None:
    """See that a model has the parameters and the intervals that are asked for.

    Raises:
        InvalidInput: It has not the parameters.
        UnsupportedByModel: It gives no interval.
    """
    problems = parameter_problems(manifest, parameters)
    if problems:
        raise InvalidInput(*problems)
    check_wanted(manifest, wanted)


def learned(
    predictor: Predictor, runtime: Runtime, state: ContextState, observations: Iterable[Observations]
) -> ContextState:
    """Learn observations in chunks.

    Raises:
        InvalidInput: Something does not fit.
    """
    for chunk in observations:
        # Observations are not removed later, so precision loss does not matter.
        state = learn(runtime, predictor.limits, state, chunk, at="context.", allow_precision_loss=True)
    return state


def answers(
    predictor: Predictor,
    runtime: Runtime,
    state: ContextState,
    queries: Iterable[Array],
    parameters: Mapping[str, float],
    *,
    wanted: Wanted = NOTHING,
    readouts: ReadoutCache | None = None,
) -> Iterator[Prediction]:
    """Answer queries in chunks from one state.

    Raises:
        InvalidInput: Something does not fit.
    """
    readouts = readouts or ReadoutCache()
    for query in queries:
        yield answer(runtime, predictor.limits, state, query, parameters, wanted=wanted, readouts=readouts)


def joined(chunks: Iterable[Observations], rows: int) -> Iterator[Observations]:
    """Join chunks to chunks of a number of rows; the last one may have fewer.

    Args:
        chunks: Of at most so many rows.
        rows: Their number.
    """
    waiting, count = list[Observations](), 0
    for chunk in chunks:
        waiting.append(chunk)
        count += len(chunk.x)
        if count >= rows:
            whole = _concatenated(waiting)
            yield _part(whole, slice(0, rows))
            waiting, count = [_part(whole, slice(rows, None))], count - rows
    if count:
        yield _concatenated(waiting)


def _part(whole: Observations, rows: slice) -> Observations:
    weight = None if whole.weight is None else whole.weight[rows]
    return whole._replace(x=whole.x[rows], y=whole.y[rows], weight=weight)


def _concatenated(parts: Sequence[Observations]) -> Observations:
    if len(parts) == 1:
        return parts[0]
    x, y = np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts])
    weights = [part.weight for part in parts if part.weight is not None]
    return parts[0]._replace(x=x, y=y, weight=np.concatenate(weights) if weights else None)


def _whole(chunks: Iterable[Observations], limit: int, model: str) -> Observations:
    """Concatenate the chunks of a model that does not stream."""
    parts, count = list[Observations](), 0
    for chunk in chunks:
        parts.append(chunk)
        count += len(chunk.x)
        if count > limit:
            text = f"has more than {limit} observations (GDSSM_MAX_OBSERVATIONS), which model {model} needs at once."
            raise InvalidInput(Problem("context.x", f"{text} Send fewer, or name a model that streams."))
    return _concatenated(parts)
