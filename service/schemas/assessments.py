"""Predictions compared with those of other methods, in requests and answers."""

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from service.schemas.column_effects import ColumnEffectAnswer, ExplainColumns
from service.schemas.fields import Number
from service.schemas.models import AnsweringModel
from service.schemas.schema import Schema
from service.schemas.tables import HOUSES, Name, Rows, TableFields

ROWS = [HOUSES[i % 4] | {"size": 40 + 7 * i, "price": 150.0 + 21 * i} for i in range(12)]


class AssessRequest(TableFields):
    """A table with enough rows that have a target."""

    rows: Rows = Field(examples=[ROWS])
    """The table: a list of records, or an object of columns, which are lists of one length."""
    target: Name = Field(examples=["price"])
    """The column to predict: numbers, or 2 to 50 classes."""
    model: str | None = Field(None, max_length=100, examples=["nonlinear"])
    """Name of the model, from `GET /v1/models`; if left out, the default model, or `classifier` for classes."""
    version: str | None = Field(None, max_length=40)
    """Its version; the highest one if left out."""
    explain: ExplainColumns = Field([], examples=[["effects"]])
    """effects: return the effect of each column on predictions, of models of numbers."""
    interval: Number | None = Field(None, examples=[0.9])
    """Above 0 and below 1: return the bounds between which each effect lies with this probability."""


class ScoreAnswer(Schema):
    """The quality of one method on rows that it has not learned. Numbers have errors, and classes have `accuracy`."""

    model_config = ConfigDict(from_attributes=True)

    method: str = Field(examples=["nonlinear"])
    mae: float | SkipJsonSchema[None] = None
    """Mean absolute error, in units of the target."""
    median_error: float | SkipJsonSchema[None] = None
    """Half of the predictions are within this distance of the target."""
    r2: float | SkipJsonSchema[None] = None
    """The part of the variance that is explained: 1 is perfect, 0 is as good as the mean."""
    coverage: float | SkipJsonSchema[None] = None
    """The part of the targets in the 90 % interval, if the method has intervals."""
    accuracy: float | SkipJsonSchema[None] = None
    """The part of the rows whose class is the most probable one."""
    log_loss: float | SkipJsonSchema[None] = None
    """Mean of -log of the probability of the row's class, in nats."""


class HeldOutAnswer(Schema):
    """Rows that were predicted by a model that has not learned them."""

    rows: list[int]
    """Their numbers, from 0."""
    target: list[float]
    prediction: list[float]
    lower: list[float] | SkipJsonSchema[None] = None
    """Bounds of the 90 % interval, of models that give one."""
    upper: list[float] | SkipJsonSchema[None] = None


class AssessAnswer(Schema):
    """The model and other methods in cross-validation."""

    sentence: str = Field(
        examples=["14% better than ridge regression. Half of the predictions are within ±21 of price."]
    )
    """The result in words."""
    scores: list[ScoreAnswer]
    """The model first."""
    rows: int
    """Rows that were predicted, each once; at most 2,000 of those that have a target."""
    folds: int
    """Parts of the rows; each is predicted from the others."""
    not_measured: dict[str, str] | SkipJsonSchema[None] = None
    """Methods that are not installed on the server, and the reason."""
    held_out: HeldOutAnswer | SkipJsonSchema[None] = None
    """The model's predictions of numbers."""
    effects: list[ColumnEffectAnswer] | SkipJsonSchema[None] = None
    """The requested effects of columns."""
    model: AnsweringModel
