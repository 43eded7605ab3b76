"""Observations and queries in, predictions out: what every door of the service calls."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np

from service.column_names import ColumnNames
from service.errors import InvalidInput, NotReady, NumericOverflow, Problem, ServiceError
from service.inference.artifact import WANT_SCALE, Manifest
from service.inference.checks import (
    Limits,
    has_nan,
    is_finite,
    length_problems,
    magnitude_problems,
    missing_problems,
    parameter_problems,
    query_problems,
    share_problems,
    size_problems,
    spread_problems,
    weight_problems,
    width_problems,
)
from service.inference.distribution import NOTHING, Note, Wanted, bounds, check_wanted, notes_of
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.levels import Levels
from service.registry.repository import Repository
from service.states.history import Rows
from service.states.removal import check_weighted

WITHOUT_SCALE = np.zeros(())


class Observations(NamedTuple):
    """N observations: what the prediction is to be learnt from."""

    x: Array
    """(N, D); NaN where a cell is missing."""
    y: Array
    """(N,) or (N, K)."""
    weight: Array | None = None
    """(N,); how much each observation counts, 1 if left out."""
    levels: Levels = ()
    """Which columns of x and of the query are levels of categories, for models whose `column_kinds` have level."""
    columns: ColumnNames | None = None
    """Names of the columns of x and y, for a context that keeps them."""


class Prediction(NamedTuple):
    """The answer to M queries, and who gave it."""

    prediction: Array
    """(M,) or (M, K), as y came in."""
    model: Manifest
    n_observations: int
    lower: Array | None = None
    """The interval's lower bounds, in the shape of the prediction; NaN where there is none."""
    upper: Array | None = None
    quantiles: Array | None = None
    """(Q, M) or (Q, M, K)."""
    notes: tuple[Note, ...] = ()


class Predictor:
    """Answers from the models of a repository.

    Args:
        repository: The models.
        default_model: Which of them answers when none is named.
        limits: What one request may cost.
    """

    def __init__(self, repository: Repository, default_model: str, limits: Limits) -> None:
        self.repository = repository
        self.default_model = default_model
        self.limits = limits

    def check_ready(self) -> None:
        """See that a request that names no model can be answered.

        Raises:
            NotReady: There is no such model.
        """
        loaded = sorted({runtime.manifest.name for runtime in self.repository.served()})
        if self.default_model not in loaded:
            raise NotReady(
                f"The default model {self.default_model!r} is not loaded; loaded: {', '.join(loaded) or 'none'}. "
                "Look at GDSSM_DEFAULT_MODEL and GDSSM_ZOO, and at the log for files that were refused."
            )

    def predict(
        self,
        model: str | None,
        context: Observations,
        query: Array,
        parameters: Mapping[str, float] | None = None,
        *,
        version: str | None = None,
        wanted: Wanted = NOTHING,
    ) -> Prediction:
        """Learn from the context and answer the queries, in one call.

        Args:
            model: Its name; the default model if left out.
            context: At least one observation.
            query: (M, D); NaN where a cell is missing.
            parameters: By name, of those in the model's manifest.
            version: Of the model; the highest one if left out.
            wanted: An interval and quantiles.

        Raises:
            InvalidInput: Something does not fit; every field is named.
            UnsupportedByModel: The model gives no interval.
            NumericOverflow: The answer is beyond floating point.
            UnknownModel: No such model.
            NotReady: No model at all.
        """
        return self.answer(self.runtime(model, version), context, query, parameters or {}, wanted)

    def answer(
        self,
        runtime: Runtime,
        context: Observations,
        query: Array,
        parameters: Mapping[str, float],
        wanted: Wanted = NOTHING,
    ) -> Prediction:
        """Do what `predict` does with a model at hand.

        Raises:
            InvalidInput: Something does not fit; every field is named.
            PrecisionLoss: Observations of negative weight cannot be taken out exactly.
            NumericOverflow: The answer is beyond floating point.
        """
        self._check(runtime.manifest, context, query, parameters)
        _check_values(runtime.manifest, context, query)
        if context.weight is not None and context.weight.min() < 0:
            check_weighted(Rows(context.x, columns(context.y), context.weight, context.y.ndim == 1, "context."))
        if wanted is not NOTHING:
            check_wanted(runtime.manifest, wanted)
        try:
            outputs = _run(runtime, context, query, parameters, wanted)
        except NumericOverflow as error:
            raise _with_cells(error, {"context.x": context.x, "context.y": context.y, "query": query}) from None
        shape, levels = context.y.shape[1:], len(context.levels)
        return predictions_of(runtime.manifest, outputs, shape, [len(context.x)], wanted, levels=levels)[0]

    def _check(self, manifest: Manifest, context: Observations, query: Array, parameters: Mapping[str, float]) -> None:
        inputs, outputs = context.x.shape[1], width_of(context.y)
        dims = manifest.dims
        widths = (("context.x", inputs, dims["D"]), ("context.y", outputs, dims["K"]))
        problems = [
            *length_problems(context.x, context.y, context.weight),
            *(() if context.weight is None else weight_problems(context.weight)),
            *query_problems(query.shape[1], inputs, "context.x"),
            *width_problems(widths, f"model {manifest.name}"),
            *size_problems(
                self.limits, inputs=inputs, outputs=outputs, observations=len(context.x), queries=len(query)
            ),
            *(parameter_problems(manifest, parameters) if parameters else ()),
        ]
        if problems:
            raise InvalidInput(*problems)

    def runtime(self, model: str | None, version: str | None = None) -> Runtime:
        """Find a model; the default model, and the highest version, if none is named.

        Raises:
            UnknownModel: No such model.
            NotReady: No model at all.
        """
        if model is not None:
            return self.repository.get(model, version)
        try:
            return self.repository.get(self.default_model, version)
        except ServiceError:
            self.check_ready()
            raise


def predictions_of(
    manifest: Manifest,
    outputs: Mapping[str, Array],
    shape: tuple[int, ...],
    n_observations: Sequence[int],
    wanted: Wanted,
    *,
    levels: int = 0,
) -> list[Prediction]:
    """Make answers of the outputs for B contexts.

    Args:
        manifest: Of the model.
        outputs: By name.
        shape: Of one row of y: () or (K,).
        n_observations: Rows observed by each context.
        wanted: An interval and quantiles.
        levels: How many columns of x are levels of categories.
    """
    notes = notes_of(manifest, outputs, wanted, levels=levels)
    each = zip(_with_rows_of(shape, outputs["prediction"]), n_observations, notes, strict=True)
    answers = [Prediction(prediction, manifest, rows, notes=found) for prediction, rows, found in each]
    if not wanted.scale:
        return answers
    sides = [repeat(None) if side is None else _with_rows_of(shape, side) for side in bounds(outputs, wanted)]
    return [
        answer._replace(lower=lower, upper=upper, quantiles=quantiles)
        for answer, lower, upper, quantiles in zip(answers, *sides, strict=False)  # `repeat` has no end
    ]


def _with_rows_of(shape: tuple[int, ...], found: Array) -> Array:
    """Return (…, M, K) with rows of the shape () or (K,)."""
    return found.reshape(*found.shape[:-1], *shape)


def _run(
    runtime: Runtime, context: Observations, query: Array, parameters: Mapping[str, float], wanted: Wanted
) -> dict[str, Array]:
    """Send one context through the graph."""
    x, y = context.x, context.y
    tensors = {"x": x[None], "y": y.reshape(1, len(y), -1), "x_query": query[None]}
    if context.weight is not None:
        tensors["weight"] = context.weight[None]
    if runtime.manifest.gives_scale:
        tensors |= scale_flag(runtime.manifest, wanted)
    return run(runtime, tensors, parameters, context.levels)


def scale_flag(manifest: Manifest, wanted: Wanted) -> dict[str, Array]:
    """Leave the scale out of a run in which nothing needs it."""
    return {WANT_SCALE: WITHOUT_SCALE} if manifest.gives_scale and not wanted.scale else {}


def run(
    runtime: Runtime, tensors: Mapping[str, Array], parameters: Mapping[str, float], levels: Levels = ()
) -> dict[str, Array]:
    """Run the graph, see `Runtime.run`; overflow is looked for in the state too, where no step can hide it.

    Raises:
        NumericOverflow: An output is beyond floating point.
    """
    outputs = runtime.run({**tensors, **parameters}, levels)
    together = b"".join(outputs.values())  # type: ignore[arg-type]  # arrays are buffers; one look is quicker than three
    if 0 in np.isfinite(np.frombuffer(together, outputs["prediction"].dtype)).tobytes():
        raise _overflow(runtime.manifest, parameters)
    return outputs


def check_finite(outputs: Iterable[Array], manifest: Manifest, parameters: Mapping[str, float]) -> None:
    """See that an answer is one.

    Raises:
        NumericOverflow: It is beyond floating point.
    """
    if not all(map(is_finite, outputs)):
        raise _overflow(manifest, parameters)


def _overflow(manifest: Manifest, parameters: Mapping[str, float]) -> NumericOverflow:
    smaller = f", or give a smaller {', '.join(parameters)}" if parameters else ""
    text = f"The answer is beyond {manifest.dtype}. Bring x, y and weight to a smaller scale{smaller}."
    return NumericOverflow(Problem("", text))


def _with_cells(error: NumericOverflow, arrays: Mapping[str, Array]) -> NumericOverflow:
    """Name the cells of an overflow, of the first array that has values too large for sums of squares."""
    problems = (magnitude_problems(field, values) for field, values in arrays.items())
    return NumericOverflow(*error.problems, *next(filter(None, problems), ()))


def _check_values(manifest: Manifest, context: Observations, query: Array) -> None:
    if manifest.missing_cells:  # a model that takes data of any scale; others say which scale they need
        problems = spread_problems("context.x", context.x)
        if problems:
            raise InvalidInput(*problems)
    missing = not manifest.missing_cells and (has_nan(context.x) or has_nan(query))
    if missing or manifest.task == "classification":
        problems = [
            *missing_problems(manifest, "context.x", context.x),
            *missing_problems(manifest, "query", query),
            *share_problems(manifest, "context.y", context.y),
        ]
        if problems:
            raise InvalidInput(*problems)


def columns(y: Array) -> Array:
    """(N,) or (N, K) to (N, K)."""
    return y.reshape(len(y), -1)


def width_of(y: Array) -> int:
    """K of (N,) or (N, K)."""
    width: int = y.shape[1] if y.ndim == 2 else 1
    return width


def weight_of(context: Observations) -> Array:
    """How much each observation counts (N,)."""
    return np.ones(len(context.x)) if context.weight is None else context.weight
