"""What goes in and out over HTTP, with examples; an unknown field is refused."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.api.fields import Number, Numbers, NumbersOrRows, Rows
from service.artifact import Assumptions, ParameterSpec


class Schema(BaseModel):
    """Refuses unknown fields; the text under a field is its description."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Observations(Schema):
    """N observations: what the prediction is to be learnt from."""

    x: Rows = Field(examples=[[[1.0], [2.0], [3.0]]])
    """N rows of D numbers, the inputs."""
    y: NumbersOrRows = Field(examples=[[2.0, 4.0, 6.0]])
    """The outputs: N numbers, or N rows of K numbers."""
    weight: Numbers | None = Field(None, examples=[[1.0, 1.0, 1.0]])
    """N numbers: how much each observation counts. 1 if left out; −w takes an observation out again."""


class PredictRequest(Schema):
    """A context and the queries to answer from it."""

    model: str | None = Field(None, max_length=100, examples=["linear"])
    """Name of the model, from `GET /v1/models`; the default model if left out."""
    context: Observations
    query: Rows = Field(examples=[[[4.0], [5.0]]])
    """M rows of D numbers: the inputs to predict for."""
    parameters: dict[str, Number] | None = Field(None, examples=[{}])
    """Numbers by name, of those that the model takes, as `{"learning_rate": 0.1}` for gd-1 and gd-8."""


class ModelReference(Schema):
    """Which model answered."""

    name: str = Field(examples=["linear"])
    version: str = Field(examples=["1.0.0"])


class PredictAnswer(Schema):
    """One prediction for each query."""

    prediction: list[float] | list[list[float]] = Field(examples=[[8.0, 10.0]])
    """M numbers if y was numbers, M rows of K numbers if y was rows."""
    model: ModelReference
    n_observations: int = Field(examples=[3])
    """N, the size of the context."""


class ModelSummary(Schema):
    """A served model in short."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    version: str
    summary: str
    task: Literal["regression", "classification"]
    """classification: y is one-hot, predictions are probabilities."""
    origin: Literal["constructed", "trained"]
    assumes: Assumptions
    dims: dict[Literal["D", "K"], int | Literal["any"]]
    """How many inputs D and outputs K it takes."""
    gradient_steps: int
    parameters: tuple[ParameterSpec, ...]


class RefusedFile(Schema):
    """A model file that is not served."""

    file: str
    reason: str


class ModelList(Schema):
    """Everything in the directory of models."""

    default: str
    """The model that answers when a request names none."""
    models: list[ModelSummary]
    refused: list[RefusedFile]


class Health(Schema):
    """The answer to a health probe."""

    status: Literal["live", "ready"]


class ErrorDetail(Schema):
    """One thing wrong with one field."""

    field: str = Field(examples=["context.x[3][1]"])
    """Where; empty for the request as a whole."""
    message: str = Field(examples=["must be a number; this is null."])


class ErrorBody(Schema):
    """Every error on every route."""

    error: str = Field(examples=["context.x[3][1]: must be a number; this is null."])
    """What is wrong and what to do, in words."""
    error_type: str = Field(examples=["invalid_input"])
    """The same for a program: one fixed word for each kind of error."""
    detail: list[ErrorDetail] | None
    """Every problem found, by field, where there are fields to name."""
