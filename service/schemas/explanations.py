"""Explanations of predictions."""

from typing import Any, Self

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from service.explaining.terms import Explanation, ImplicitWeights
from service.schemas.schema import ResponseModel, Schema

OfY = float | list[float]
"""A number if y was numbers, K numbers if y was rows."""
Curve = list[float] | list[list[float]]
Bound = list[float | None] | list[list[float | None]]


class ImplicitWeightsAnswer(ResponseModel):
    """The linear model of a context: prediction = query · weights + intercept.

    Valid for queries without a note `beyond_observations`.
    """

    weights: list[float] | list[list[float]] = Field(examples=[[2.0]])
    """D numbers if y was numbers, D rows of K numbers if y was rows."""
    intercept: OfY = Field(examples=[0.0])
    """A number if y was numbers, K numbers if y was rows."""


class EffectAnswer(Schema):
    """The effect of one column of x on predictions, in units of y; its mean over the context is 0."""

    column: int = Field(examples=[0])
    """From 0."""
    strength: OfY = Field(examples=[1.4])
    """Its standard deviation over the context."""
    values: list[float] = Field(examples=[[1.0, 2.0, 3.0]])
    """Up to 33 values of the column, rising."""
    effect: Curve = Field(examples=[[-2.0, 0.0, 2.0]])
    """The effect of each of them: a number, or K numbers if y was rows."""
    lower: Bound | SkipJsonSchema[None] = None
    """With `interval` in the request: the effect lies between `lower` and `upper` with this probability."""
    upper: Bound | SkipJsonSchema[None] = None
    missing: OfY | SkipJsonSchema[None] = None
    """The effect of a missing cell, if the context has any."""


class EffectsAnswer(Schema):
    """The additive part of predictions: base + the effect of every column, without pairs."""

    base: OfY = Field(examples=[6.0])
    """The mean of y."""
    columns: list[EffectAnswer]


class PairAnswer(Schema):
    """The effect of the product of two columns on predictions, in units of y."""

    columns: tuple[int, int] = Field(examples=[[0, 1]])
    """From 0."""
    strength: OfY = Field(examples=[0.7])
    """The standard deviation of the effect over the context."""
    weight: OfY = Field(examples=[-0.6])
    """The effect is weight·(t(z_i)·t(z_j) − mean), with standardised columns z and t(z) = 2.5·tanh(z/2.5)."""


class BlockAnswer(Schema):
    """The probability and the effect of one block of features."""

    block: str = Field(examples=["linear"])
    """linear: the columns themselves. indicators: of missing cells. additive_5: smooth steps at five knots of each
    column; other numbers of knots have the same form. pairs: products of two columns."""
    probability: OfY = Field(examples=[1.0])
    """Of all models with this block, by the evidence of the context."""
    strength: OfY = Field(examples=[1.4])
    """The standard deviation of its effect on predictions over the context, in units of y."""


class ExplanationAnswer(Schema):
    """The requested parts of an explanation."""

    implicit_weights: ImplicitWeightsAnswer | SkipJsonSchema[None] = None
    contributions: list[list[float]] | list[list[list[float]]] | SkipJsonSchema[None] = Field(None, examples=[[[1.0]]])
    """For each of M predictions, the contribution of each of N observations: a number if y was numbers, K numbers if y
    was rows. Their sum is the prediction."""
    effects: EffectsAnswer | SkipJsonSchema[None] = None
    pairs: list[PairAnswer] | SkipJsonSchema[None] = None
    """At most 10, the strongest first."""
    blocks: list[BlockAnswer] | SkipJsonSchema[None] = None

    @classmethod
    def of(cls, found: Explanation) -> Self:
        """Convert an explanation."""
        effects = found.effects
        return cls(
            implicit_weights=weights_of(found.implicit_weights),
            contributions=_plain(found.contributions),
            effects=None
            if effects is None
            else EffectsAnswer(
                base=effects.base.tolist(),
                columns=[EffectAnswer(column=i, **_fields(effect)) for i, effect in enumerate(effects.columns)],
            ),
            pairs=None if found.pairs is None else [PairAnswer(**_fields(pair)) for pair in found.pairs],
            blocks=None if found.blocks is None else [BlockAnswer(**_fields(block)) for block in found.blocks],
        )


def weights_of(found: ImplicitWeights | None) -> ImplicitWeightsAnswer | None:
    """Convert implicit weights, if there are any."""
    return None if found is None else ImplicitWeightsAnswer(**_fields(found))


def _fields(found: object) -> dict[str, Any]:
    return {name: _plain(value) for name, value in vars(found).items()}


def _plain(value: Any) -> Any:  # noqa: ANN401  (an array, or a field that is none)
    return value.tolist() if hasattr(value, "tolist") else value
