"""Checks of observations and queries: their sizes, weights, missing cells, shares of classes, and parameters.

Each returns the problems that it finds, so that a response reports all of them.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from service.errors import Problem
from service.inference.artifact import Manifest
from service.inference.sizes import Array
from service.numbers import position
from service.real_numbers import MAX_REPORTED_NUMBERS

DOT_SIZE = 2**13
"""Arrays with more cells are checked by their sum of squares: `python -m benchmarks instructions`, binary L."""
LARGEST_VALUE = 1e150
"""Sums of squares of larger values are infinite in float64."""
SMALLEST_VALUE = 1e-140
"""Squares of values that are all smaller lose digits in float64, or are 0."""
SHARES_TOLERANCE = 1e-6
"""Of the sum of the shares of classes of one observation, and of the bounds of a share."""
SEND_SHARES = "Send 1 for the class of the observation and 0 for the others."


@dataclass(frozen=True)
class Limits:
    """Limits of one request; see the settings of the same names."""

    max_columns: int
    """Of D + K; a state has at most the square of it in numbers."""
    max_predictions: int
    """Of B·M·K, and of the numbers of an explanation."""
    max_observations: int = 1_000_000
    """Of B·N."""


UNLIMITED = Limits(max_columns=sys.maxsize, max_predictions=sys.maxsize, max_observations=sys.maxsize)


def limit_problems(
    field: str, count: int, what: str, limit: int, setting: str, *, remedy: str = "Send fewer."
) -> list[Problem]:
    """Return a problem if a request has more than a limit.

    Args:
        field: The field of the request that is too large.
        count: How many it has.
        what: The name of the counted things.
        limit: How many it may have.
        setting: The name of the limit.
        remedy: What the caller can do.
    """
    if count <= limit:
        return []
    return [Problem(field, f"has {count} {what}; a request has at most {limit} ({setting}). {remedy}")]


def size_problems(
    limits: Limits,
    *,
    inputs: int,
    outputs: int,
    observations: int = 0,
    queries: int = 0,
    columns_field: str = "context",
    x_field: str = "context.x",
    query_field: str = "query",
) -> list[Problem]:
    """Return the sizes of a request that are over the limits.

    Args:
        limits: Of the service.
        inputs: D.
        outputs: K.
        observations: N, or B·N.
        queries: M, or B·M.
        columns_field: The field that has the columns of x and y.
        x_field: The field that has the observations.
        query_field: The field that has the queries.
    """
    predictions = queries * outputs
    if (
        inputs + outputs <= limits.max_columns
        and observations <= limits.max_observations
        and predictions <= limits.max_predictions
    ):
        return []
    return [
        *limit_problems(columns_field, inputs + outputs, "columns of x and y", limits.max_columns, "GDSSM_MAX_COLUMNS"),
        *limit_problems(x_field, observations, "observations", limits.max_observations, "GDSSM_MAX_OBSERVATIONS"),
        *limit_problems(
            query_field,
            predictions,
            "numbers in the prediction",
            limits.max_predictions,
            "GDSSM_MAX_PREDICTIONS",
        ),
    ]


def length_problems(x: Array, y: Array, weight: Array | None, at: str = "context.") -> list[Problem]:
    """Return the fields y and weight that have not one entry for each row of x; `at` precedes their names."""
    n = len(x)
    if len(y) == n and (weight is None or len(weight) == n):
        return []
    return [
        Problem(f"{at}{name}", f"has {len(values)} entries; {at}x has {n} rows. Send one per row of x.")
        for name, values in (("y", y), ("weight", weight))
        if values is not None and len(values) != n
    ]


def width_problems(widths: Iterable[tuple[str, int, int | str | None]], owner: str) -> list[Problem]:
    """Return the fields whose number of columns is not the expected one.

    Args:
        widths: Name of each field, its columns, and the expected number; "any" or None expects none.
        owner: The model or the context that expects them.
    """
    return [
        Problem(field, f"has {width} columns; {owner} takes {expected}. Send {expected}.")
        for field, width, expected in widths
        if expected not in ("any", None, width)  # a set would be made for each width
    ]


def query_problems(features: int, expected: int | None, owner: str) -> list[Problem]:
    """Return a problem if queries have not the features of the observations."""
    if features == expected:
        return []
    text = f"has {features} features; {owner} has {expected}. Send {expected} features per query."
    return [Problem("query", text)]


def weight_problems(weight: Array) -> list[Problem]:
    """Weights must add up to more than the rounding of their sum, and to less than the largest number."""
    largest, limits = np.abs(weight).max(), np.finfo(weight.dtype)
    if largest > limits.max / len(weight):
        return [Problem("context.weight", f"sums to more than {weight.dtype} holds. Send smaller weights.")]
    if largest == 0 or (weight / largest).sum() <= len(weight) * limits.eps:
        return [Problem("context.weight", "sums to nothing. The weights must add up to more than zero.")]
    return small_weight_problems("context.weight", largest)


def small_weight_problems(field: str, largest: float) -> list[Problem]:
    """Weights must have squares, which show how many observations they stand for.

    Args:
        field: The name of the weights.
        largest: The largest of their sizes, or a sum of them.
    """
    if not 0 < largest < SMALLEST_VALUE:
        return []
    return [Problem(field, f"is {largest:g} at most, whose square is too small for float64. Send larger weights.")]


def magnitude_problems(field: str, values: Array) -> list[Problem]:
    """Name observed values that are too large for sums of squares; a context that has one could learn no other.

    Args:
        field: What the array is called, to begin every position with.
        values: x or y.
    """
    if values.size > DOT_SIZE and np.vdot(values, values) <= LARGEST_VALUE**2:
        return []
    large = np.abs(values) > LARGEST_VALUE
    if 1 not in large.tobytes():
        return []
    text = (
        f"too large for sums of squares in float64. Send at most {LARGEST_VALUE:g}: correct it, or rescale the column."
    )
    return [
        Problem(position(field, place), f"is {values[tuple(place)]:g}, {text}")
        for place in islice(np.argwhere(large), MAX_REPORTED_NUMBERS)
    ]


def spread_problems(field: str, values: Array) -> list[Problem]:
    """Name columns whose values differ by so little that their squares are 0: models would take them for constant.

    Args:
        field: What the array is called.
        values: x or y, (N, D), (N, K) or (N,).
    """
    if len(values) < 2 or not has_small(values[0].tolist()):
        return []
    small = np.abs(values[0]).ravel() < SMALLEST_VALUE
    cells = values.reshape(len(values), -1)[:, small]
    largest, differ = np.fmax.reduce(np.abs(cells)), np.fmax.reduce(cells) > np.fmin.reduce(cells)
    vanish = differ & (largest < SMALLEST_VALUE)
    problems = []
    for column, size in zip(np.flatnonzero(small)[vanish], largest[vanish], strict=True):
        name = field if values.ndim == 1 else f"{field}[][{column}]"
        text = f"has no value beyond {size:g}, whose square is too small for float64. Multiply the column."
        problems.append(Problem(name, text))
    return problems[:MAX_REPORTED_NUMBERS]


def has_small(cells: list[float] | float) -> bool:
    """Return whether one of some cells is 0 or nearly so; for ten cells numpy takes twice as long."""
    for cell in cells if isinstance(cells, list) else (cells,):  # noqa: SIM110  (a generator takes twice as long too)
        if -SMALLEST_VALUE < cell < SMALLEST_VALUE:
            return True
    return False


def parameter_problems(manifest: Manifest, parameters: Mapping[str, float]) -> list[Problem]:
    """Say which parameters the model does not take, or not with this value."""
    known = {parameter.name: parameter for parameter in manifest.parameters}
    problems = []
    for name, value in parameters.items():
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            problems.append(Problem(f"parameters.{name}", f"is not a parameter of model {manifest.name}; {takes}."))
        elif not value > known[name].above:
            problems.append(
                Problem(f"parameters.{name}", f"must be greater than {known[name].above:g}; this is {value:g}.")
            )
    return problems


def is_finite(array: Array) -> bool:
    """Return whether all numbers are finite; for few numbers numpy's `all` takes three times as long."""
    if array.size > DOT_SIZE and np.isfinite(np.vdot(array, array)):
        return True
    return 0 not in np.isfinite(array).tobytes()


def has_nan(array: Array) -> bool:
    """Return whether a number is NaN; a sum of squares is NaN only then, because none is negative."""
    if array.size > DOT_SIZE:
        return bool(np.isnan(np.vdot(array, array)))
    return 1 in np.isnan(array).tobytes()


def missing_problems(manifest: Manifest, field: str, array: Array) -> list[Problem]:
    """Name the cells that are missing, where the model takes no missing cells.

    Args:
        manifest: Of the model.
        field: What the array is called, to begin every position with.
        array: x or queries, of any shape; NaN where a cell is missing.
    """
    if manifest.missing_cells or not has_nan(array):
        return []
    text = (
        f"is missing; model {manifest.name} takes no missing cells (version {manifest.version}). Fill in cells "
        "that are null or NaN, leave the row out, or choose a model that has missing_cells in GET /v1/models."
    )
    return [
        Problem(position(field, place), text) for place in islice(np.argwhere(np.isnan(array)), MAX_REPORTED_NUMBERS)
    ]


def share_problems(manifest: Manifest, field: str, y: Array) -> list[Problem]:
    """Name the rows of y that are not shares of classes, where the model is a classification.

    Args:
        manifest: Of the model.
        field: What y is called, to begin every position with.
        y: (N,) or (N, K).
    """
    if manifest.task != "classification":
        return []
    if y.ndim == 1:
        return [
            Problem(
                field, f"has numbers; model {manifest.name} takes rows with one column for each class. {SEND_SHARES}"
            )
        ]
    with np.errstate(over="ignore"):
        wrong = (np.abs(y.sum(1) - 1.0) > SHARES_TOLERANCE) | (y.min(1) < -SHARES_TOLERANCE)
    return [
        Problem(f"{field}[{i}]", _share_reason(y[i])) for i in np.flatnonzero(wrong)[:MAX_REPORTED_NUMBERS].tolist()
    ]


def share_problems_of_one(manifest: Manifest, field: str, y: Array) -> list[Problem]:
    """Do the same for one observation, y (1,) or (1, K), which is called `field` itself."""
    return [replace(problem, field=field) for problem in share_problems(manifest, field, y)]


def _share_reason(row: Array) -> str:
    least = row.argmin()
    if row[least] < -SHARES_TOLERANCE:
        return f"has {row[least]:g} in column {least}; shares of classes are between 0 and 1. {SEND_SHARES}"
    with np.errstate(over="ignore"):
        return f"sums to {row.sum():g}; shares of classes must sum to 1. {SEND_SHARES}"
