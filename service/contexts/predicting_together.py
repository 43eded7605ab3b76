"""Answers queries to several contexts of one model in one run of its graph.

One run for 100 contexts of `linear` takes a tenth to a third of the time of 100 runs. Contexts that need several runs
each, because they choose their decay by themselves, and queries that are refused are left to `answer`.
"""

from collections.abc import Hashable, Sequence
from contextlib import suppress

import numpy as np

from service.contexts.cache import Readout, ReadoutCache
from service.contexts.forgetting import AUTO
from service.contexts.runs import runs_of, shapes_of
from service.contexts.state import Question, check_question
from service.contexts.tensors import COMOMENT, State
from service.errors import ServiceError
from service.inference.checks import Limits
from service.inference.predictor import Prediction, predictions_of, run, scale_flag

READOUT_SIZE = 128
"""Numbers in memory while a graph computes the readout of a state, for each number in the state: measured 80 to 200."""


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
    plain = {number: question for number, question in enumerate(questions) if _is_plain(question, limits)}
    found = {number: readouts.find(one.state.tensors or {}, one.wanted) for number, one in plain.items()}
    keys = {number: _key(question, found[number]) for number, question in plain.items()}
    sizes = {number: _size(question, found[number]) for number, question in plain.items()}
    for numbers in runs_of(keys, sizes):
        with suppress(ServiceError):
            together = _predict([plain[number] for number in numbers], [found[number] for number in numbers], readouts)
            for number, answer in zip(numbers, together, strict=True):
                answers[number] = answer
    return answers


def _is_plain(question: Question, limits: Limits) -> bool:
    """Whether one run answers a question that is not refused."""
    if question.state.decay == AUTO or not len(question.query):
        return False
    try:
        check_question(question, limits)
    except ServiceError:
        return False
    return True


def _key(question: Question, readout: Readout) -> Hashable:
    """Return what questions of one run have in common."""
    runtime, state, query, parameters, wanted = question
    return (
        id(runtime),
        query.shape,
        tuple(sorted(parameters.items())),
        wanted,
        (state.levels, state.outputs, state.y_is_1d),
        shapes_of(state.tensors or {}),
        shapes_of(readout),
    )


def _size(question: Question, readout: Readout) -> int:
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


def _predict(questions: Sequence[Question], found: Sequence[Readout], readouts: ReadoutCache) -> list[Prediction]:
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
