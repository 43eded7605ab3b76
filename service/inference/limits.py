"""Checks of the sizes of a request: B contexts, N observations, M queries, D columns of x, K columns of y."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from service.errors import Problem
from service.inference.sizes import Array


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
        if expected not in {"any", None, width}
    ]


def query_problems(features: int, expected: int | None, owner: str) -> list[Problem]:
    """Return a problem if queries have not the features of the observations."""
    if features == expected:
        return []
    text = f"has {features} features; {owner} has {expected}. Send {expected} features per query."
    return [Problem("query", text)]
