"""Observations, queries and predictions."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from service.inference.distribution import Wanted
from service.schemas.explanations import ExplanationAnswer
from service.schemas.fields import Explain, Number, Numbers, NumbersOrRows, Rows
from service.schemas.models import AnsweringModel
from service.schemas.schema import Schema


class ObservationsBody(Schema):
    """N observations, from which predictions are learnt."""

    x: Rows = Field(examples=[[[1.0], [2.0], [3.0], [4.0], [5.0]]])
    """N rows of D numbers, the inputs; null where one is missing, for models that take `missing_cells`."""
    y: NumbersOrRows = Field(examples=[[2.1, 3.9, 6.2, 7.8, 10.1]])
    """The outputs: N numbers, or N rows of K numbers."""
    weight: Numbers | None = Field(None, examples=[[1.0, 1.0, 1.0, 1.0, 1.0]])
    """N numbers: how much each observation counts. 1 if left out; −w removes an observation again."""


class ContextBody(ObservationsBody):
    """The observations of a prediction."""

    levels: list[Annotated[int, Field(strict=True)]] | None = Field(None, examples=[None])
    """The columns of x, from 0, that are levels of categories: 1 where an observation has the level, otherwise 0. For
    models with level among their `column_kinds`."""


class DistributionRequest(Schema):
    """Requested additions to a prediction, of models that give a scale (see `gives_scale` of a model)."""

    interval: Number | None = Field(None, examples=[0.9])
    """Above 0 and below 1: return the bounds between which y lies with this probability."""
    quantiles: Numbers | None = Field(None, examples=[[0.1, 0.5, 0.9]])
    """Probabilities above 0 and below 1: return the values below which y lies with each."""

    def wanted(self) -> Wanted:
        """Convert to the core's type."""
        quantiles = () if self.quantiles is None else tuple(self.quantiles.tolist())
        return Wanted(self.interval, quantiles)


class PredictRequest(DistributionRequest):
    """A context and queries."""

    model: str | None = Field(None, max_length=100, examples=["nonlinear"])
    """Name of the model, from `GET /v1/models`; the default model if left out."""
    version: str | None = Field(None, max_length=40, examples=["1.0.0"])
    """Its version; the highest one if left out."""
    context: ContextBody
    query: Rows = Field(examples=[[[6.0], [7.0]]])
    """M rows of D numbers: the inputs to predict for; null where one is missing, as in x."""
    parameters: dict[str, Number] | None = Field(None, examples=[{}])
    """Numbers by name, of those that the model takes, as `{"learning_rate": 0.1}` for gd-1 and gd-8."""
    explain: Explain = Field((), examples=[False])
    """The parts of an explanation: a list of `"implicit_weights"`, `"contributions"`, `"effects"`, `"pairs"` and
    `"blocks"`, or `true` for all that the model has."""


Shaped = list[float | None] | list[list[float | None]]


class IntervalAnswer(Schema):
    """The interval of each prediction; null where there is none, after a single observation."""

    lower: Shaped = Field(examples=[[9.589, 10.452]])
    upper: Shaped = Field(examples=[[13.918, 16.548]])


class NoteAnswer(Schema):
    """A note on the predictions."""

    model_config = ConfigDict(from_attributes=True)

    code: Literal[
        "constant_columns",
        "beyond_observations",
        "one_observation",
        "constant_y",
        "linear_only",
        "fewer_observations_than_columns",
    ]
    """constant_columns: columns that do not vary in the context are ignored. beyond_observations: queries further out
    than any of the observations could be, which were clipped. one_observation: there is no interval. constant_y: y does
    not vary. linear_only: too many columns for features. fewer_observations_than_columns: the prior has much weight."""
    columns: list[int] | SkipJsonSchema[None] = None
    """The first of them, from 0."""
    queries: list[int] | SkipJsonSchema[None] = None
    """The first of them, from 0."""


class DistributionAnswer(Schema):
    """Requested additions to the prediction."""

    interval: IntervalAnswer | SkipJsonSchema[None] = None
    """The requested `interval`, in the shape of the prediction."""
    quantiles: list[Shaped] | SkipJsonSchema[None] = Field(
        None, examples=[[[10.197, 11.308], [11.754, 13.5], [13.31, 15.692]]]
    )
    """The requested `quantiles`: for each probability, numbers in the shape of the prediction."""
    notes: list[NoteAnswer] | SkipJsonSchema[None] = None
    """Notes on the predictions; left out if there are none."""


class PredictAnswer(DistributionAnswer):
    """One prediction for each query."""

    prediction: list[float] | list[list[float]] = Field(examples=[[11.754, 13.5]])
    """M numbers if y was numbers, M rows of K numbers if y was rows."""
    model: AnsweringModel
    n_observations: int = Field(examples=[5])
    """N, the size of the context."""
    explanation: ExplanationAnswer | SkipJsonSchema[None] = None
    """The requested parts."""
