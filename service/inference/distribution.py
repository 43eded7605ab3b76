"""Intervals and quantiles of a prediction's Student t distribution, and what there is to say about a prediction."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from service.errors import InvalidInput, Problem, UnsupportedByModel
from service.inference.artifact import Manifest
from service.inference.sizes import Array
from service.inference.student_t import quantile

QUANTILES_LIMIT = 100
"""Quantiles that one request may ask for."""
MAX_REPORTED = 20
"""Queries or columns that one note names."""


class Wanted(NamedTuple):
    """What to answer in addition to the prediction."""

    interval: float | None = None
    """The probability that the interval holds, equal tails; above 0 and below 1."""
    quantiles: tuple[float, ...] = ()
    """Probabilities, above 0 and below 1."""

    @property
    def scale(self) -> bool:
        """Whether any of it needs the scale."""
        return self.interval is not None or bool(self.quantiles)


NOTHING = Wanted()


class Note(NamedTuple):
    """One thing to know about a prediction, for a program."""

    code: str
    """constant_columns: they do not vary in the context, and are left out. beyond_observations: queries further out
    than any observation could be, moved in. one_observation: no interval can be given. constant_y: y does not vary.
    linear_only: too many columns for features. fewer_observations_than_columns: the prior decides much."""
    columns: tuple[int, ...] | None = None
    queries: tuple[int, ...] | None = None
    """The first of them, at most MAX_REPORTED."""


class Bounds(NamedTuple):
    """The interval and the quantiles of B contexts; NaN after a single observation."""

    lower: Array | None
    """(B, M, K)."""
    upper: Array | None
    """(B, M, K)."""
    quantiles: Array | None
    """(B, Q, M, K)."""


def check_wanted(manifest: Manifest, wanted: Wanted, at: str = "") -> None:
    """Check that an interval and quantiles can be computed.

    Raises:
        InvalidInput: A probability is out of its range, or there are too many.
        UnsupportedByModel: The model gives no scale.
    """
    if not wanted.scale:
        return
    problems = [
        Problem(f"{at}{name}", f"must be above 0 and below 1; this is {value:g}.")
        for name, value in _named(wanted)
        if not 0.0 < value < 1.0
    ]
    if len(wanted.quantiles) > QUANTILES_LIMIT:
        text = f"has {len(wanted.quantiles)} entries; a request has at most {QUANTILES_LIMIT}. Send fewer."
        problems.append(Problem(f"{at}quantiles", text))
    if problems:
        raise InvalidInput(*problems)
    if not manifest.gives_scale:
        name = f"{at}interval" if wanted.interval is not None else f"{at}quantiles"
        text = f"is nothing that model {manifest.name} {manifest.version} gives. Leave it out, or ask another model."
        raise UnsupportedByModel(Problem(name, text))


def bounds(outputs: Mapping[str, Array], wanted: Wanted) -> Bounds:
    """Compute an interval and quantiles from the outputs of a run for B contexts."""
    interval = {} if wanted.interval is None else interval_of(outputs, wanted.interval)
    quantiles = [_quantile_of(outputs, probability) for probability in wanted.quantiles]
    return Bounds(interval.get("lower"), interval.get("upper"), np.stack(quantiles, 1) if quantiles else None)


def interval_of(outputs: Mapping[str, Array], level: float) -> dict[str, Array]:
    """Work out the outputs `lower` and `upper` (B, M, K) of B contexts."""
    tail = 0.5 - 0.5 * level  # exact, unlike 0.5 + 0.5 * level, which may round to 1
    return {"lower": _quantile_of(outputs, tail), "upper": _quantile_of(outputs, tail, -1.0)}


def _quantile_of(outputs: Mapping[str, Array], probability: float, sign: float = 1.0) -> Array:
    """Work out a quantile (B, M, K) of B contexts; NaN where none is known or it is beyond floating point.

    With the sign -1 it is that of 1 - probability.
    """
    middle, scale, freedom = outputs["prediction"], outputs["scale"], outputs["degrees_of_freedom"]
    found = [sign * quantile(probability, count) if count > 0 else np.nan for count in freedom.tolist()]
    with np.errstate(invalid="ignore", over="ignore"):
        factor = np.array(found, scale.dtype)[:, None, None]
        value: Array = np.where(scale > 0, middle + scale * factor, middle)
    return np.where(np.isfinite(value) & (freedom > 0)[:, None, None], value, np.nan)


def notes_of(
    manifest: Manifest, outputs: Mapping[str, Array], wanted: Wanted, *, levels: int = 0
) -> list[tuple[Note, ...]]:
    """Say what there is to know about the predictions of B contexts; nothing for models without a readout.

    `levels` columns of x are levels of categories, of which no features are made.
    """
    if manifest.features is None:
        return [()] * len(outputs["prediction"])
    numbers, features = outputs["constant"].shape[1] - levels, manifest.features
    is_linear = bool(numbers and features.makes_features and not features.band(numbers).blocks)
    each = zip(
        outputs["degrees_of_freedom"].tolist(),
        outputs["constant"],
        outputs["clipped"],
        _is_constant_y(manifest, outputs, wanted),
        strict=True,
    )
    return [
        tuple(_notes(freedom, constant, clipped, linear_only=is_linear, constant_y=constant_y))
        for freedom, constant, clipped, constant_y in each
    ]


def _notes(freedom: float, constant: Array, clipped: Array, *, linear_only: bool, constant_y: bool) -> Iterator[Note]:
    """Return the notes of one context, in which some columns (D,) are constant and some queries (M,) clipped."""
    if freedom <= 0:
        yield Note("one_observation")
        return
    left_out, far = np.flatnonzero(constant), np.flatnonzero(clipped)
    if left_out.size:
        yield Note("constant_columns", columns=tuple(left_out[:MAX_REPORTED].tolist()))
    if freedom + 1 < len(constant) - left_out.size:
        yield Note("fewer_observations_than_columns")
    if linear_only:
        yield Note("linear_only")
    if constant_y:
        yield Note("constant_y")
    if far.size:
        yield Note("beyond_observations", queries=tuple(far[:MAX_REPORTED].tolist()))


def _is_constant_y(manifest: Manifest, outputs: Mapping[str, Array], wanted: Wanted) -> list[bool]:
    """Find the contexts whose observations all have one y, as far as the outputs show it."""
    if manifest.task != "classification" and not (wanted.scale and outputs["scale"].size):
        return [False] * len(outputs["prediction"])
    varying = outputs["readout.metric" if manifest.task == "classification" else "scale"]
    return [not varies for varies in np.any(varying, axis=(1, 2)).tolist()]


def _named(wanted: Wanted) -> list[tuple[str, float]]:
    named = [(f"quantiles[{i}]", value) for i, value in enumerate(wanted.quantiles)]
    return named if wanted.interval is None else [("interval", wanted.interval), *named]
