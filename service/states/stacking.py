"""Several contexts of one model in one run of its graph: 100 of `linear` take a thirtieth of the time to learn so.

Answers take a tenth to a third. What one context decides for itself is left to `learn` and `answer`: digits that may be
lost, observations taken out, missing cells, levels, forgetting, a decay that is chosen, and queries that are refused.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.errors import InvalidInput, ServiceError
from service.inference.checks import Limits
from service.inference.predictor import Observations, Prediction, predictions_of, run, scale_flag
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.states.context_state import COUNT_LIMIT, ContextState, Question, changed, check_question
from service.states.forgetting import AUTO
from service.states.history import History
from service.states.precision import CANCELLED, ESTABLISHED, LEAST_SHARE
from service.states.readouts import Readout, ReadoutCache
from service.states.tensors import COMOMENT, COUNT, SCALE, SQUARES, State, canonical

CONTEXTS_LIMIT = 128
"""Contexts in one run: more make a context no cheaper, and take more memory at once."""
NUMBERS_LIMIT = 2**22
"""Numbers in the memory of one run: 32 MiB."""
MODERATE = 1e150
"""Numbers up to which a sum of weights is far from what floating point holds."""
READOUT_SIZE = 128
"""Numbers in memory while a graph computes the readout of a state, for each number in the state: measured 80 to 200."""


class Lesson(NamedTuple):
    """A context, and observations to add to it."""

    runtime: Runtime
    state: ContextState
    new: Observations


def learn_together(lessons: Sequence[Lesson], limits: Limits) -> list[ContextState | None]:
    """Learn the observations of each lesson.

    Args:
        lessons: Of different contexts, of any models.
        limits: On the observations.

    Returns:
        For each the state after, as `learn` makes it within rounding and as storage rounds it; None where `learn` has
        to decide.
    """
    after: list[ContextState | None] = [None] * len(lessons)
    plain = {number: lesson for number, lesson in enumerate(lessons) if _is_plain_lesson(lesson, limits)}
    keys = {number: _key_of_lesson(lesson) for number, lesson in plain.items()}
    for numbers in _runs_of(keys, {number: _size_of_lesson(lesson) for number, lesson in plain.items()}):
        found = _learn_stacked([plain[number] for number in numbers])
        for number, state in zip(numbers, found, strict=True):
            after[number] = state
    return after


def _is_plain_lesson(lesson: Lesson, limits: Limits) -> bool:
    """Whether observations of weight 1 come to an established context that forgets nothing, with its columns."""
    manifest, state, new = lesson.runtime.manifest, lesson.state, lesson.new
    tensors, history = state.tensors, state.history
    return (
        tensors is not None
        and COMOMENT in tensors
        and manifest.task != "classification"
        and not state.forgets
        and not state.levels
        and history is not None
        and history.rows >= ESTABLISHED
        and history.levels is None
        and history.sums is None
        and (SCALE[0] not in tensors or tensors[SCALE[0]][0] == 1)
        and new.weight is None
        and not new.levels
        and new.columns is None
        and 0 < len(new.x) == len(new.y) <= limits.max_observations
        and (new.x.shape[1], new.y.ndim == 1) == (state.inputs, state.y_is_1d)
        and (new.y.ndim == 1 or new.y.shape[1] == state.outputs)
        and (state.inputs or 0) + (state.outputs or 0) <= limits.max_columns
        and state.n_observations + len(new.x) <= COUNT_LIMIT
        and state.absolute_weight_sum < MODERATE
        and history.squares < MODERATE
        and history.gross_squares < MODERATE
    )


def _key_of_lesson(lesson: Lesson) -> Hashable:
    """Return what contexts of one run have in common."""
    return id(lesson.runtime), len(lesson.new.x), _shapes_of(lesson.state.tensors or {})


def _size_of_lesson(lesson: Lesson) -> int:
    """Count the numbers of a context in one run: its states before and after, and the observations."""
    return 2 * sum(tensor.size for tensor in (lesson.state.tensors or {}).values()) + lesson.new.x.size


def _learn_stacked(lessons: Sequence[Lesson]) -> list[ContextState | None]:
    runtime, states = lessons[0].runtime, [lesson.state for lesson in lessons]
    x = np.stack([lesson.new.x for lesson in lessons])
    y = np.stack([lesson.new.y for lesson in lessons]).reshape(len(x), x.shape[1], -1)
    if np.isnan(x).any():
        return [None] * len(lessons)
    names = [*(states[0].tensors or {})]
    before = {name: np.concatenate([state.tensors[name] for state in states if state.tensors]) for name in names}
    try:
        outputs = runtime.run({**before, "x": x, "y": y, "weight": np.ones(x.shape[:2])})
    except InvalidInput:
        return [None] * len(lessons)
    after = canonical(runtime.state_after(outputs))
    absolute_weight_sums = np.array([state.absolute_weight_sum for state in states]) + x.shape[1]
    plain = _is_unquestioned(before, after, absolute_weight_sums).tolist()
    rows = x.shape[1]
    return [
        _after(state, {name: tensor[i : i + 1].copy() for name, tensor in after.items()}, rows) if plain[i] else None
        for i, state in enumerate(states)
    ]


def _is_unquestioned(before: dict[str, Array], after: dict[str, Array], weights: Array) -> NDArray[np.bool_]:
    """Find the contexts (B,) in which no digits may be lost: a quick check, as in `learning`."""
    found = (after[COUNT] > CANCELLED * weights) & (after[COUNT] >= before[COUNT])
    for name in (COUNT, SQUARES):
        if name in before:
            found &= before[name] >= LEAST_SHARE * after[name]
    columns = before["state.mean"].shape[1]
    was, now = (np.diagonal(state[COMOMENT], axis1=1, axis2=2)[:, :columns] for state in (before, after))
    found &= (was >= LEAST_SHARE * now).all(1)
    for tensor in after.values():
        found &= np.isfinite(tensor).reshape(len(found), -1).all(1)
    return found


def _after(state: ContextState, tensors: dict[str, Array], rows: int) -> ContextState:
    history = state.history
    assert history is not None  # noqa: S101  (as `_is_plain_lesson` has seen)
    return changed(
        state,
        tensors=tensors,
        absolute_weight_sum=state.absolute_weight_sum + rows,
        history=History(
            history.rows + rows,
            history.squares + rows,
            history.gross_squares + rows,
            min(history.least_weight or 1.0, 1.0),
            None,
            None,
            history.digits,
        ),
        n_observations=state.n_observations + rows,
        n_counted=state.n_counted + rows,
    )


def predict_together(questions: Sequence[Question], limits: Limits, readouts: ReadoutCache) -> list[Prediction | None]:
    """Answer each question.

    Args:
        questions: To any contexts, of any models.
        limits: On the queries of one.
        readouts: Keeps the readouts of states.

    Returns:
        For each the prediction that `answer` returns within rounding; None where `answer` has to decide, also where
        one of those in the same run has failed.
    """
    answers: list[Prediction | None] = [None] * len(questions)
    plain = {number: question for number, question in enumerate(questions) if _is_plain_question(question, limits)}
    found = {number: readouts.find(one.state.tensors or {}, one.wanted) for number, one in plain.items()}
    keys = {number: _key_of_question(question, found[number]) for number, question in plain.items()}
    sizes = {number: _size_of_question(question, found[number]) for number, question in plain.items()}
    for numbers in _runs_of(keys, sizes):
        with suppress(ServiceError):
            together = _predict_stacked(
                [plain[number] for number in numbers], [found[number] for number in numbers], readouts
            )
            for number, answer in zip(numbers, together, strict=True):
                answers[number] = answer
    return answers


def _is_plain_question(question: Question, limits: Limits) -> bool:
    """Whether one run answers a question that is not refused."""
    if question.state.decay == AUTO or not len(question.query):
        return False
    try:
        check_question(question, limits)
    except ServiceError:
        return False
    return True


def _key_of_question(question: Question, readout: Readout) -> Hashable:
    """Return what questions of one run have in common."""
    runtime, state, query, parameters, wanted = question
    return (
        id(runtime),
        query.shape,
        tuple(sorted(parameters.items())),
        wanted,
        (state.levels, state.outputs, state.y_is_1d),
        _shapes_of(state.tensors or {}),
        _shapes_of(readout),
    )


def _size_of_question(question: Question, readout: Readout) -> int:
    """Estimate the numbers in memory for a question while it is answered."""
    runtime, state, query, *_ = question
    tensors: State = state.tensors or {}
    numbers, known = (sum(tensor.size for tensor in part.values()) for part in (tensors, readout))
    width: int = tensors[COMOMENT].shape[-1] if COMOMENT in tensors else query.shape[1]
    outputs = state.outputs or 0
    if runtime.manifest.features is not None and not readout:
        # A wide readout is computed context by context, and only its result stays in memory.
        numbers *= READOUT_SIZE if width - outputs <= runtime.wide else 1 + outputs
    return numbers + known + len(query) * width


def _predict_stacked(
    questions: Sequence[Question], found: Sequence[Readout], readouts: ReadoutCache
) -> list[Prediction]:
    runtime, state, _, parameters, wanted = questions[0]
    manifest = runtime.manifest
    inputs = [{**(one.state.tensors or {}), **own} for one, own in zip(questions, found, strict=True)]
    stacked = {name: np.concatenate([own[name] for own in inputs]) for name in inputs[0]}
    query = np.stack([one.query for one in questions])
    outputs = run(runtime, {**stacked, "x_query": query, **scale_flag(manifest, wanted)}, parameters, state.levels)
    if not found[0]:
        readout = runtime.readout_of(outputs)
        for i, one in enumerate(questions):
            # Copies, because a part would keep the readouts of all contexts in memory.
            own = {name: tensor[i : i + 1].copy() for name, tensor in readout.items()}
            readouts.keep(one.state.tensors or {}, wanted, own)
    rows = [one.state.n_observations for one in questions]
    return predictions_of(manifest, outputs, state.y_shape, rows, wanted, levels=len(state.levels))


def _runs_of(keys: Mapping[int, Hashable], sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Divide contexts into runs; a context that would be alone in its run is left out.

    Args:
        keys: Of each context, by its number: those of one key can be stacked.
        sizes: Numbers in memory that a run needs for each.

    Yields:
        The numbers of the contexts of each run, two or more.
    """
    groups = defaultdict[Hashable, list[int]](list)
    for number, key in keys.items():
        groups[key].append(number)
    for numbers in groups.values():
        count = min(CONTEXTS_LIMIT, NUMBERS_LIMIT // max(1, *(sizes[number] for number in numbers)))
        if count > 1:
            runs = (numbers[start : start + count] for start in range(0, len(numbers), count))
            yield from (run for run in runs if len(run) > 1)


def _shapes_of(tensors: State) -> Hashable:
    """Return what the tensors of contexts that can be stacked have in common."""
    return (*tensors, *[tensor.shape for tensor in tensors.values()])
