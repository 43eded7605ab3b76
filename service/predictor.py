"""Observations and queries in, predictions out: what every door of the service calls."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from service.artifact import Manifest
from service.errors import InvalidInput, NotReady, NumericOverflow, Problem
from service.repository import Repository
from service.runtime import Runtime
from service.shapes import Array


@dataclass(frozen=True)
class Context:
    """N observations: what the prediction is to be learnt from."""

    x: Array
    """(N, D)."""
    y: Array
    """(N,) or (N, K)."""
    weight: Array | None = None
    """(N,); how much each observation counts, 1 if left out."""


@dataclass(frozen=True)
class Prediction:
    """The answer to M queries, and who gave it."""

    prediction: Array
    """(M,) or (M, K), as y came in."""
    model: Manifest
    n_observations: int


@dataclass(frozen=True)
class Limits:
    """What one request may cost; see the settings of the same names."""

    max_columns: int
    max_predictions: int


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
        if self.default_model not in self.repository.models:
            loaded = ", ".join(self.repository.models) or "none"
            raise NotReady(
                f"The default model {self.default_model!r} is not loaded; loaded: {loaded}. "
                "Look at GDSSM_DEFAULT_MODEL and GDSSM_ZOO, and at the log for files that were refused."
            )

    def predict(
        self, model: str | None, context: Context, query: Array, parameters: Mapping[str, float] | None = None
    ) -> Prediction:
        """Learn from the context and answer the queries, in one call.

        Args:
            model: Its name; the default model if left out.
            context: At least one observation.
            query: (M, D).
            parameters: By name, of those in the model's manifest.

        Raises:
            InvalidInput: Something does not fit; every field is named.
            NumericOverflow: The answer is beyond floating point.
            UnknownModel: No such model.
            NotReady: No model at all.
        """
        runtime = self._runtime(model)
        parameters = parameters or {}
        problems = [
            *_context_problems(context),
            *_query_problems(context, query),
            *_width_problems(runtime.manifest, context),
            *_size_problems(self.limits, context, query),
            *_parameter_problems(runtime.manifest, parameters),
        ]
        if problems:
            raise InvalidInput(*problems)
        prediction = _run(runtime, context, query, parameters)
        return Prediction(prediction.reshape(len(query), *context.y.shape[1:]), runtime.manifest, len(context.x))

    def _runtime(self, model: str | None) -> Runtime:
        if model is None:
            self.check_ready()
        return self.repository.get(self.default_model if model is None else model)


def _run(runtime: Runtime, context: Context, query: Array, parameters: Mapping[str, float]) -> Array:
    """Send one context through the graph; overflow is looked for in the state too, where no step can hide it."""
    tensors = {"x": context.x[None], "y": _columns(context.y)[None], "x_query": query[None]}
    if context.weight is not None:
        tensors["weight"] = context.weight[None]
    outputs = runtime.run({**tensors, **parameters})
    if not all(np.isfinite(output).all() for output in outputs.values()):
        smaller = f", or give a smaller {', '.join(parameters)}" if parameters else ""
        problem = f"The answer is beyond {runtime.manifest.dtype}. Bring x, y and weight to a smaller scale{smaller}."
        raise NumericOverflow(Problem("", problem))
    prediction: Array = outputs["prediction"][0]
    return prediction


def _columns(y: Array) -> Array:
    """(N,) or (N, K) to (N, K)."""
    return y.reshape(len(y), -1)


def _context_problems(context: Context) -> list[Problem]:
    n = len(context.x)
    problems = [
        Problem(f"context.{name}", f"has {len(values)} entries; context.x has {n} rows. Send one per row of x.")
        for name, values in (("y", context.y), ("weight", context.weight))
        if values is not None and len(values) != n
    ]
    if context.weight is not None:
        problems += _weight_problems(context.weight)
    return problems


def _weight_problems(weight: Array) -> list[Problem]:
    """Weights must add up to more than the rounding of their own sum, and to less than floating point can hold."""
    largest, limits = np.abs(weight).max(), np.finfo(weight.dtype)
    if largest > limits.max / len(weight):
        return [Problem("context.weight", f"sums to more than {weight.dtype} holds. Send smaller weights.")]
    if largest == 0 or (weight / largest).sum() <= len(weight) * limits.eps:
        return [Problem("context.weight", "sums to nothing. The weights must add up to more than zero.")]
    return []


def _query_problems(context: Context, query: Array) -> list[Problem]:
    sent, observed = query.shape[1], context.x.shape[1]
    if sent == observed:
        return []
    return [Problem("query", f"has {sent} features; context.x has {observed}. Send {observed} features per query.")]


def _width_problems(manifest: Manifest, context: Context) -> list[Problem]:
    widths = {"context.x": context.x.shape[1], "context.y": _columns(context.y).shape[1]}
    takes = {"context.x": manifest.dims["D"], "context.y": manifest.dims["K"]}
    return [
        Problem(field, f"has {width} columns; model {manifest.name} takes {takes[field]}.")
        for field, width in widths.items()
        if takes[field] not in {"any", width}
    ]


def _size_problems(limits: Limits, context: Context, query: Array) -> list[Problem]:
    inputs, outputs = context.x.shape[1], _columns(context.y).shape[1]
    problems = []
    if inputs + outputs > limits.max_columns:
        problems.append(
            Problem(
                "context",
                f"has {inputs} columns of x and {outputs} of y; together they may be at most {limits.max_columns} "
                "(GDSSM_MAX_COLUMNS). Send fewer.",
            )
        )
    if len(query) * outputs > limits.max_predictions:
        problems.append(
            Problem(
                "query",
                f"asks for {len(query)} predictions of {outputs} numbers; an answer has at most "
                f"{limits.max_predictions} numbers (GDSSM_MAX_PREDICTIONS). Send the queries in several requests.",
            )
        )
    return problems


def _parameter_problems(manifest: Manifest, parameters: Mapping[str, float]) -> list[Problem]:
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
