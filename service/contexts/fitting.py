"""Whether observations and queries fit a context: their columns, sizes and weights."""

from typing import TYPE_CHECKING

import numpy as np

from service.errors import InvalidInput, Problem, UnsupportedByModel
from service.inference.artifact import Manifest
from service.inference.checks import (
    Limits,
    length_problems,
    missing_problems,
    share_problems,
    size_problems,
    width_problems,
)
from service.inference.predictor import Observations, width_of
from service.inference.sizes import Array

if TYPE_CHECKING:
    from service.contexts.state import ContextState


COUNT_LIMIT = 2**53
"""Most rows that a context can count: every reader of JSON keeps such a number exact."""


def check_observations(manifest: Manifest, limits: Limits, state: "ContextState", new: Observations, at: str) -> None:
    """See that observations can be learnt after those before.

    Raises:
        InvalidInput: Something does not fit; every field is named.
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
            *missing_problems(manifest, f"{at}x", new.x),
            *share_problems(manifest, f"{at}y", new.y),
        ]
    if problems:
        raise InvalidInput(*problems)
    if manifest.merge.rule == "none" and new.weight is not None and (new.weight < 0).any():
        problem = f"must not be negative: model {manifest.name} learns in order, and cannot take observations out."
        raise UnsupportedByModel(Problem(f"{at}weight", problem))


def _column_problems(manifest: Manifest, state: "ContextState", new: Observations, at: str) -> list[Problem]:
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


def _weight_problems(weight: Array, state: "ContextState", at: str) -> list[Problem]:
    size = np.abs(weight)
    largest = np.finfo(weight.dtype).max
    if size.max() > largest / len(weight) or state.absolute_weight_sum > largest - size.sum():
        return [
            Problem(f"{at}weight", f"sums to more than {weight.dtype} holds, with those before. Send smaller weights.")
        ]
    if state.forgets and (weight < 0).any():
        text = f"must not be negative: this context forgets (decay {state.decay}), and what has faded is not known."
        return [Problem(f"{at}weight", f"{text} Weigh observations by 0 or more.")]
    return []


def looks_of(state: "ContextState") -> str:
    """Say which columns the observations of a context have."""
    levels = f" ({', '.join(map(str, state.levels))} are levels)" if state.levels else ""
    y = "y of numbers" if state.y_is_1d else f"y of {state.outputs} columns"
    return f"{state.inputs} columns of x{levels} and {y}"


def check_size(state: "ContextState", limits: Limits) -> None:
    """Check the columns of a context against the limits.

    Raises:
        InvalidInput: They are over.
    """
    problems = size_problems(limits, inputs=state.inputs or 0, outputs=state.outputs or 0)
    if problems:
        raise InvalidInput(*problems)


def check_sums(n_observations: int, weight_sum: float, field: str) -> None:
    """See that the rows of a context can be counted, and its weights added up.

    Args:
        n_observations: Rows that it would have observed.
        weight_sum: Sum of the sizes of their weights.
        field: What brings them.

    Raises:
        InvalidInput: They are too many, or too large.
    """
    if n_observations > COUNT_LIMIT:
        text = f"would make {n_observations} observations; a context counts at most {COUNT_LIMIT}. Make another one."
        raise InvalidInput(Problem(field, text))
    if not np.isfinite(weight_sum):
        text = "sums to more than float64 holds, with the weights before. Send smaller weights."
        raise InvalidInput(Problem(field, text))
