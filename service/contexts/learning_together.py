"""Learns observations of several contexts of one model in one run of its graph, where no check could refuse them.

One run for 100 contexts of `linear` takes a thirtieth of the time of 100 runs. What `learn` decides for each context
(digits that may be lost, observations taken out, missing cells, levels, forgetting) is left to it: such contexts are
not taken here, and those whose result needs a closer look are left out of the result.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.contexts.history import History
from service.contexts.precision import CANCELLED, ESTABLISHED, LEAST_SHARE
from service.contexts.runs import runs_of, shapes_of
from service.contexts.state import COUNT_LIMIT, ContextState, changed
from service.contexts.tensors import COMOMENT, COUNT, SCALE, SQUARES, canonical
from service.errors import InvalidInput
from service.inference.checks import Limits
from service.inference.predictor import Observations
from service.inference.runtime import Runtime
from service.inference.sizes import Array

MODERATE = 1e150
"""Numbers up to which a sum of weights is far from what floating point holds."""


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
    plain = {number: lesson for number, lesson in enumerate(lessons) if _is_plain(lesson, limits)}
    keys = {number: _key(lesson) for number, lesson in plain.items()}
    for numbers in runs_of(keys, {number: _size(lesson) for number, lesson in plain.items()}):
        found = _learn([plain[number] for number in numbers])
        for number, state in zip(numbers, found, strict=True):
            after[number] = state
    return after


def _is_plain(lesson: Lesson, limits: Limits) -> bool:
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


def _key(lesson: Lesson) -> Hashable:
    """Return what contexts of one run have in common."""
    return id(lesson.runtime), len(lesson.new.x), shapes_of(lesson.state.tensors or {})


def _size(lesson: Lesson) -> int:
    """Count the numbers of a context in one run: its states before and after, and the observations."""
    return 2 * sum(tensor.size for tensor in (lesson.state.tensors or {}).values()) + lesson.new.x.size


def _learn(lessons: Sequence[Lesson]) -> list[ContextState | None]:
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
    assert history is not None  # noqa: S101  (as `_is_plain` has seen)
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
