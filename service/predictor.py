"""Observations and queries in, predictions out: what every door of the service calls."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from service.artifact import Manifest
from service.errors import InvalidInput, NumericOverflow, Problem
from service.repository import Repository
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


class Predictor:
    """Answers from the models of a repository.

    Args:
        repository: The models.
        default_model: Which of them answers when none is named.
    """

    def __init__(self, repository: Repository, default_model: str) -> None:
        self.repository = repository
        self.default_model = default_model

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
        runtime = self.repository.get(model or self.default_model)
        manifest = runtime.manifest
        parameters = parameters or {}
        problems = [
            *_context_problems(context),
            *_query_problems(context, query),
            *_width_problems(manifest, context),
            *_parameter_problems(manifest, parameters),
        ]
        if problems:
            raise InvalidInput(*problems)
        y = context.y.reshape(len(context.y), -1)
        tensors = {"x": context.x[None], "y": y[None], "x_query": query[None]}
        if context.weight is not None:
            tensors["weight"] = context.weight[None]
        prediction = runtime.run({**tensors, **parameters})["prediction"][0]
        if not np.isfinite(prediction).all():
            raise NumericOverflow(
                Problem("", f"The prediction is beyond {manifest.dtype}. Scale x and y, or take a smaller learning_rate.")
            )
        return Prediction(prediction.reshape(len(query), *context.y.shape[1:]), manifest, len(context.x))


def _context_problems(context: Context) -> list[Problem]:
    n = len(context.x)
    problems = [
        Problem(f"context.{name}", f"has {len(values)} entries; context.x has {n} rows. Send one per row of x.")
        for name, values in (("y", context.y), ("weight", context.weight))
        if values is not None and len(values) != n
    ]
    if context.weight is not None and not context.weight.sum() > 0:
        problems.append(
            Problem("context.weight", f"sums to {context.weight.sum():g}. The weights must add up to more than zero.")
        )
    return problems


def _query_problems(context: Context, query: Array) -> list[Problem]:
    sent, observed = query.shape[1], context.x.shape[1]
    if sent == observed:
        return []
    return [
        Problem("query", f"has {sent} features; context.x has {observed}. Send {observed} features per query.")
    ]


def _width_problems(manifest: Manifest, context: Context) -> list[Problem]:
    widths = {"D": ("context.x", context.x.shape[1]), "K": ("context.y", context.y.reshape(len(context.y), -1).shape[1])}
    return [
        Problem(field, f"has {width} columns; model {manifest.name} takes {manifest.dims[letter]}.")
        for letter, (field, width) in widths.items()
        if manifest.dims[letter] not in {"any", width}
    ]


def _parameter_problems(manifest: Manifest, parameters: Mapping[str, float]) -> list[Problem]:
    known = {parameter.name: parameter for parameter in manifest.parameters}
    problems = []
    for name, value in parameters.items():
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            problems.append(Problem(f"parameters.{name}", f"is not a parameter of model {manifest.name}; {takes}."))
        elif not value > known[name].above:
            problems.append(Problem(f"parameters.{name}", f"must be greater than {known[name].above:g}; this is {value:g}."))
    return problems
