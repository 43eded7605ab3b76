"""Intervals and quantiles of a prediction's Student t distribution, and what there is to say about a prediction."""

from collections.abc import Mapping
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
    """The interval and the quantiles; NaN after a single observation."""

    lower: Array | None
    """(M, K)."""
    upper: Array | None
    """(M, K)."""
    quantiles: Array | None
    """(Q, M, K)."""


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
    """Compute an interval and quantiles from the outputs of one context's run (B = 1)."""
    middle, scale = outputs["prediction"][0], outputs["scale"][0]
    freedom = float(outputs["degrees_of_freedom"][0])

    def at(probability: float) -> Array:
        if freedom <= 0:
            return np.full_like(middle, np.nan)
        with np.errstate(invalid="ignore", over="ignore"):
            value: Array = np.where(scale > 0, middle + scale * quantile(probability, freedom), middle)
        return np.where(np.isfinite(value), value, np.nan)

    level = wanted.interval
    return Bounds(
        None if level is None else at(0.5 - 0.5 * level),
        None if level is None else at(0.5 + 0.5 * level),
        np.stack([at(probability) for probability in wanted.quantiles]) if wanted.quantiles else None,
    )


def interval_of(outputs: Mapping[str, Array], level: float) -> dict[str, Array]:
    """Work out the outputs `lower` and `upper` (B, M, K) of B contexts."""
    each = [
        bounds(
            {name: outputs[name][i : i + 1] for name in ("prediction", "scale", "degrees_of_freedom")}, Wanted(level)
        )
        for i in range(len(outputs["prediction"]))
    ]
    lower, upper = ([getattr(one, side) for one in each] for side in ("lower", "upper"))
    return {"lower": np.stack(lower), "upper": np.stack(upper)}


def notes_of(manifest: Manifest, outputs: Mapping[str, Array], wanted: Wanted, *, levels: int = 0) -> tuple[Note, ...]:
    """Say what there is to know about the predictions of one context (B = 1); nothing for models without a readout.

    `levels` columns of x are levels of categories, of which no features are made.
    """
    if manifest.features is None:
        return ()
    found = []
    constant = np.flatnonzero(outputs["constant"][0])
    freedom = float(outputs["degrees_of_freedom"][0])
    columns = outputs["constant"].shape[1]
    if freedom <= 0:
        return (Note("one_observation"),)
    if constant.size:
        found.append(Note("constant_columns", columns=tuple(constant[:MAX_REPORTED].tolist())))
    if freedom + 1 < columns - constant.size:
        found.append(Note("fewer_observations_than_columns"))
    numbers = columns - levels
    if numbers and manifest.features.makes_features and not manifest.features.band(numbers).blocks:
        found.append(Note("linear_only"))
    if _is_constant_y(manifest, outputs, wanted):
        found.append(Note("constant_y"))
    far = np.flatnonzero(outputs["clipped"][0])
    if far.size:
        found.append(Note("beyond_observations", queries=tuple(far[:MAX_REPORTED].tolist())))
    return tuple(found)


def _is_constant_y(manifest: Manifest, outputs: Mapping[str, Array], wanted: Wanted) -> bool:
    """Whether all observations have one y, as far as the outputs show it."""
    if manifest.task == "classification":
        return not outputs["readout.metric"].any()
    return bool(wanted.scale and outputs["scale"].size and not outputs["scale"].any())


def _named(wanted: Wanted) -> list[tuple[str, float]]:
    named = [(f"quantiles[{i}]", value) for i, value in enumerate(wanted.quantiles)]
    return named if wanted.interval is None else [("interval", wanted.interval), *named]
