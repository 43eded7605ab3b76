"""Why predictions are what they are, as it goes out over HTTP."""

from typing import Any, Self

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from service.explaining.terms import Block, Effect, Effects, Explanation, ImplicitWeights, Pair
from service.schemas.schema import ResponseModel, Schema
from service.shapes import Array

OfY = float | list[float]
"""A number if y was numbers, K numbers if y was rows."""
Curve = list[float] | list[list[float]]
Bound = list[float | None] | list[list[float | None]]


class ImplicitWeightsAnswer(ResponseModel):
    """The linear model that the context amounts to: prediction = query · weights + intercept.

    It holds for queries without a note `beyond_observations`.
    """

    weights: list[float] | list[list[float]] = Field(examples=[[2.0]])
    """D numbers if y was numbers, D rows of K numbers if y was rows."""
    intercept: OfY = Field(examples=[0.0])
    """A number if y was numbers, K numbers if y was rows."""

    @classmethod
    def of(cls, found: ImplicitWeights) -> Self:
        """Write them as they are sent."""
        return cls(weights=found.weights.tolist(), intercept=found.intercept.tolist())


class EffectAnswer(Schema):
    """What one column of x adds to predictions, in units of y; its mean over the context is 0."""

    column: int = Field(examples=[0])
    """From 0."""
    strength: OfY = Field(examples=[1.4])
    """Its standard deviation over the context."""
    values: list[float] = Field(examples=[[1.0, 2.0, 3.0]])
    """Up to 33 values of the column, rising."""
    effect: Curve = Field(examples=[[-2.0, 0.0, 2.0]])
    """What each of them adds: a number, or K numbers if y was rows."""
    lower: Bound | SkipJsonSchema[None] = None
    """With `interval` in the request: between `lower` and `upper` the effect lies with this probability."""
    upper: Bound | SkipJsonSchema[None] = None
    missing: OfY | SkipJsonSchema[None] = None
    """What a missing cell adds, if the context has any."""

    @classmethod
    def of(cls, column: int, found: Effect) -> Self:
        """Write one as it is sent."""
        return cls(
            column=column,
            strength=found.strength.tolist(),
            values=found.values.tolist(),
            effect=found.effect.tolist(),
            lower=_sent(found.lower),
            upper=_sent(found.upper),
            missing=_sent(found.missing),
        )


class EffectsAnswer(Schema):
    """The additive part of predictions: base + the effect of every column; what pairs add is not in it."""

    base: OfY = Field(examples=[6.0])
    """The mean of y."""
    columns: list[EffectAnswer]

    @classmethod
    def of(cls, found: Effects) -> Self:
        """Write them as they are sent."""
        columns = [EffectAnswer.of(column, effect) for column, effect in enumerate(found.columns)]
        return cls(base=found.base.tolist(), columns=columns)


class PairAnswer(Schema):
    """What the product of two columns adds to predictions, in units of y."""

    columns: tuple[int, int] = Field(examples=[[0, 1]])
    """From 0."""
    strength: OfY = Field(examples=[0.7])
    """The standard deviation over the context of what it adds."""
    weight: OfY = Field(examples=[-0.6])
    """It adds weight·(t(z_i)·t(z_j) − mean), with standardised columns z and t(z) = 2.5·tanh(z/2.5)."""

    @classmethod
    def of(cls, found: Pair) -> Self:
        """Write one as it is sent."""
        return cls(columns=found.columns, strength=found.strength.tolist(), weight=found.weight.tolist())


class BlockAnswer(Schema):
    """What one block of features has in the evidence and in predictions."""

    block: str = Field(examples=["linear"])
    """linear: the columns themselves. indicators: of missing cells. additive_5: smooth steps at five knots of each
    column; other numbers of knots have the same form. pairs: products of two columns."""
    probability: OfY = Field(examples=[1.0])
    """Of all models with this block, by the evidence of the context."""
    strength: OfY = Field(examples=[1.4])
    """The standard deviation over the context of what it adds to predictions, in units of y."""

    @classmethod
    def of(cls, found: Block) -> Self:
        """Write one as it is sent."""
        return cls(block=found.block, probability=found.probability.tolist(), strength=found.strength.tolist())


class ExplanationAnswer(Schema):
    """Why the predictions are what they are."""

    implicit_weights: ImplicitWeightsAnswer | SkipJsonSchema[None] = None
    contributions: list[list[float]] | list[list[list[float]]] | SkipJsonSchema[None] = Field(None, examples=[[[1.0]]])
    """For each of M predictions, what each of N observations adds to it: a number if y was numbers, K numbers if rows.
    They add up to the prediction."""
    effects: EffectsAnswer | SkipJsonSchema[None] = None
    pairs: list[PairAnswer] | SkipJsonSchema[None] = None
    """At most 10, the strongest first."""
    blocks: list[BlockAnswer] | SkipJsonSchema[None] = None

    @classmethod
    def of(cls, found: Explanation) -> Self:
        """Write an explanation as it is sent."""
        return cls(
            implicit_weights=found.implicit_weights and ImplicitWeightsAnswer.of(found.implicit_weights),
            contributions=_sent(found.contributions),
            effects=found.effects and EffectsAnswer.of(found.effects),
            pairs=None if found.pairs is None else list(map(PairAnswer.of, found.pairs)),
            blocks=None if found.blocks is None else list(map(BlockAnswer.of, found.blocks)),
        )


def _sent(array: Array | None) -> Any:  # noqa: ANN401  (nested lists of one depth or another)
    return None if array is None else array.tolist()
