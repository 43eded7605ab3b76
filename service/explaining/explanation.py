"""A prediction with the reasons for it: the implicit weights of its context, and each observation's contribution."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from service.distribution import NOTHING, Wanted
from service.errors import InvalidInput, Problem
from service.explaining.contributions import check_linear, contributions
from service.explaining.implicit_weights import ImplicitWeights, check_affine, implicit_weights_of
from service.numbers import named
from service.predictor import Context, Prediction, Predictor
from service.shapes import Array

Part = Literal["implicit_weights", "contributions"]
PARTS: tuple[Part, ...] = ("implicit_weights", "contributions")


@dataclass(frozen=True)
class Explanation:
    """What was asked for; the rest is None."""

    implicit_weights: ImplicitWeights | None
    contributions: Array | None
    """(M, N), or (M, N, K) where y is rows: how much each observation adds to each prediction, in units of y."""


def parts(value: object, name: str) -> tuple[Part, ...]:
    """Read what is to be explained: true is everything, false or null nothing, a list of names those.

    Raises:
        InvalidInput: It is none of these.
    """
    if value is None or isinstance(value, bool):
        return PARTS if value else ()
    if not isinstance(value, list) or not all(part in PARTS for part in value):
        names = " and ".join(f'"{part}"' for part in PARTS)
        raise InvalidInput(Problem(name, f"must be true, false or a list of {names}; this is {named(value)}."))
    return tuple(part for part in PARTS if part in value)


def predict_and_explain(
    predictor: Predictor,
    model: str | None,
    context: Context,
    query: Array,
    parameters: Mapping[str, float] | None = None,
    *,
    wanted: Wanted = NOTHING,
    version: str | None = None,
    explain: Collection[Part] = PARTS,
) -> tuple[Prediction, Explanation]:
    """Predict as the predictor does, and explain it.

    Raises:
        UnsupportedByModel: The model has no such explanation.
        InvalidInput: Something does not fit, as with a prediction alone; or there would be too many contributions.
        NumericOverflow: The answer or its explanation is beyond floating point.
        UnknownModel: No such model.
        NotReady: No model at all.
    """
    runtime, parameters = predictor.runtime(model, version), parameters or {}
    if "implicit_weights" in explain:
        check_affine(runtime.manifest)
    if "contributions" in explain:
        check_linear(runtime.manifest, parameters)
    prediction = predictor.answer(runtime, context, query, parameters, wanted)
    weights = implicit_weights_of(runtime, context, parameters) if "implicit_weights" in explain else None
    shares = None
    if "contributions" in explain:
        shares = contributions(runtime, context, query, parameters, predictor.limits)
    return prediction, Explanation(weights, shares)
