"""What goes in and out of the routes of contexts, with examples."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from service.column_names import NAMELESS, ColumnNames, read_names
from service.contexts.decay_setting import AUTO, RULE, Auto, Decay
from service.errors import InvalidInput, Problem
from service.explaining.parts import Part, parts
from service.numbers import named, number
from service.schemas.explanations import ExplanationAnswer, ImplicitWeightsAnswer
from service.schemas.fields import Number, Numbers, Rows, reading
from service.schemas.models import AnsweringModel, ModelReference
from service.schemas.predictions import DistributionAnswer, DistributionRequest, Observations
from service.schemas.schema import ResponseModel, Schema

if TYPE_CHECKING:
    from service.contexts.context_record import ContextDetails, ContextRecord, Page

LONGEST_TTL = 10 * 365 * 86_400
"""Seconds."""

EXAMPLE_ID = "0193f2b46a0e7c3f9d1e5a7b8c2d4f60"


def decay_of(value: object, field: str) -> Decay:
    """Read a decay.

    Raises:
        InvalidInput: It is neither a number nor "auto".
    """
    if value is None:
        return None
    if isinstance(value, str):
        if value == AUTO:
            return AUTO
        raise InvalidInput(Problem(field, f"{RULE}; this is {named(value)}."))
    return number(value, field)


ContextName = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
DecayRequest = Annotated[Decay, reading(decay_of, Annotated[float, Field(gt=0, le=1)] | Auto | None)]
"""A number, which the core checks in its own words, or "auto"."""
PartOfState = Literal["implicit_weights", "effects", "pairs", "blocks"]
ExplainState = Annotated[tuple[Part, ...], reading(parts, bool | list[PartOfState] | None)]
"""As for `POST /v1/predict`; what needs the observations is refused in the core's words."""
ColumnNamesField = Annotated[tuple[str, ...], reading(read_names, Annotated[list[str], Field(min_length=1)])] | None
Seconds = Annotated[int, Field(strict=True, ge=1, le=LONGEST_TTL)]


class ScaleRequest(Schema):
    """What the columns of x are standardised by before features are made of them."""

    center: Numbers = Field(examples=[[0.0]])
    """D numbers: about the mean of each column."""
    spread: Numbers = Field(examples=[[1.0]])
    """D numbers: about its standard deviation; 0 makes no features of the column."""


class ColumnsRequest(Schema):
    """Names of columns, in the order in which the columns stand in this request."""

    x: ColumnNamesField = Field(None, examples=[["size"]])
    """D names, of the columns of x and of queries."""
    y: ColumnNamesField = Field(None, examples=[["price"]])
    """K names, one where y is numbers."""

    def names(self) -> ColumnNames:
        """Make what the core takes."""
        return ColumnNames(self.x, self.y)


class NewObservations(Observations):
    """N observations for a context, whose columns may have names."""

    columns: ColumnsRequest | None = Field(None, examples=[None])
    """Names of the columns of x and y. A context that has names finds columns by them, in whatever order they stand,
    and refuses others; one that has none takes these. Without names columns stay as they stand."""
    allow_precision_loss: bool = Field(False, strict=True, examples=[False])
    """Whether they are meant even if what the context has seen loses its significant digits by them: an observation
    so far out is refused otherwise (`precision_loss`)."""


class CreateContext(Schema):
    """A context to make, empty or with its first observations."""

    model: str | None = Field(None, max_length=100, examples=["linear"])
    """Name of a model that streams, from `GET /v1/models`; the default model if left out."""
    version: str | None = Field(None, pattern=r"^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}$", examples=["2.0.0"])
    """Version of the model; the newest if left out. The context stays with it."""
    decay: DecayRequest = Field(None, examples=[None])
    """What is left of the weight of every observation after one more, such as 0.99; `"auto"` finds it out from the
    observations, for models with intervals; nothing is forgotten if left out."""
    ttl: Seconds | None = Field(None, examples=[3600])
    """Seconds that the context is kept after its last use; GDSSM_CONTEXT_TTL if left out."""
    scale: ScaleRequest | None = Field(None, examples=[None])
    """What the features of x are scaled by, for models that make some; by its first 33 observations if left out.
    Contexts of one scale merge exactly, and forget an observation without a trace."""
    like: ContextName | None = Field(None, examples=[None])
    """The id of a context whose scale this one is to have, so that the two can be merged."""
    columns: ColumnsRequest | None = Field(None, examples=[None])
    """Names of the columns of x and y, which stay with the context: later observations and queries that come with names
    are found by them. Without, the first names that come with observations stay."""
    observations: Observations | None = Field(
        None, examples=[{"x": [[1.0], [2.0], [3.0], [4.0], [5.0]], "y": [2.1, 3.9, 6.2, 7.8, 10.1]}]
    )
    """The first observations."""


class ColumnsAnswer(ResponseModel):
    """Names of the columns of a context."""

    x: tuple[str, ...] | None
    """In the order of the columns of x and of queries without names; null if they have none."""
    y: tuple[str, ...] | None


class ContextListed(ResponseModel):
    """A context in a list."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    id: str = Field(examples=[EXAMPLE_ID])
    model: ModelReference
    decay: float | Auto | None = Field(examples=[None])
    """What is left of the weight of every observation after one more; null forgets nothing."""
    memory_length: float | None = Field(None, examples=[None])
    """With decay `"auto"` the effective number of observations that are remembered; null otherwise."""
    n_observations: int = Field(examples=[3])
    """Rows observed, whatever their weights."""
    inputs: int | None = Field(examples=[1])
    """D, the columns of x; null until the first observation, where the model does not fix it."""
    outputs: int | None = Field(examples=[1])
    """K, the columns of y; likewise."""
    version: int = Field(examples=[1])
    """One more with every change; the ETag."""
    ttl: int = Field(examples=[3600])
    """Seconds that the context is kept after its last use."""
    created: datetime = Field(examples=["2026-11-22T08:00:00Z"])
    updated: datetime = Field(examples=["2026-11-22T08:00:00Z"])
    """When it last changed."""
    expires: datetime = Field(examples=["2026-11-22T09:00:00Z"])
    """When it is removed, unless it is used before."""

    @classmethod
    def of(cls, record: "ContextRecord") -> Self:
        """Write a record as it is sent."""
        return cls(
            id=record.id,
            model=ModelReference(name=record.model, version=record.model_version),
            decay=record.decay,
            memory_length=record.memory_length,
            n_observations=record.n_observations,
            inputs=record.inputs,
            outputs=record.outputs,
            version=record.version,
            ttl=record.ttl,
            created=time_of(record.created),
            updated=time_of(record.updated),
            expires=time_of(record.expires),
        )


class ContextAnswer(ContextListed):
    """A context without its state."""

    columns: ColumnsAnswer | None = Field(None, examples=[None])
    """Names of its columns; null if it has none."""

    @classmethod
    def of(cls, record: "ContextRecord") -> Self:
        """Write a record as it is sent."""
        names = None if record.columns == NAMELESS else ColumnsAnswer(**asdict(record.columns))
        return cls(**dict(ContextListed.of(record)), columns=names)


class ContextView(ContextAnswer):
    """A context, and the linear model that it amounts to."""

    implicit_weights: ImplicitWeightsAnswer | None = Field(None, examples=[{"weights": [2.0], "intercept": 0.0}])
    """Null while nothing has been seen, and where the model has none."""
    digits_left: int | None = Field(None, examples=[15])
    """Significant digits that the sums still have of the variation of the column that has fewest: below 6 nothing can
    be taken out exactly. Null while no column varies, and where the model takes nothing out."""

    @classmethod
    def showing(cls, details: "ContextDetails") -> Self:
        """Write a context as it is sent on its own."""
        weights = details.weights
        shown = None if weights is None else ImplicitWeightsAnswer.of(weights)
        record = dict(ContextAnswer.of(details.record))
        return cls(**record, implicit_weights=shown, digits_left=details.digits_left)


class ContextPage(ResponseModel):
    """Some of the caller's contexts, oldest first."""

    contexts: tuple[ContextListed, ...]
    after: str | None = Field(examples=[None])
    """Send it as `?after=` for the next page; null at the end."""

    @classmethod
    def of(cls, page: "Page") -> Self:
        """Write a page as it is sent."""
        return cls(contexts=tuple(map(ContextListed.of, page.contexts)), after=page.after)


class ContextQuery(DistributionRequest):
    """Queries to answer from what a context has seen."""

    query: Rows = Field(examples=[[[6.0], [7.0]]])
    """M rows of D numbers: the inputs to predict for; null where one is missing, as in x."""
    columns: ColumnsRequest | None = Field(None, examples=[None])
    """Names of the columns of the queries, as `x`; of a context that has names they are found by them."""
    parameters: dict[str, Number] | None = Field(None, examples=[{}])
    """Numbers by name, of those that the model takes, as `{"learning_rate": 0.1}` for gd-1 and gd-8."""
    explain: ExplainState = Field((), examples=[["implicit_weights"]])
    """What to explain, with these parameters: a list of `"implicit_weights"`, `"effects"`, `"pairs"` and `"blocks"`, or
    `true` for all of these that the model has. Contributions need the observations, which a context does not keep."""


class ContextPrediction(DistributionAnswer):
    """One prediction for each query."""

    prediction: list[float] | list[list[float]] = Field(examples=[[11.927, 13.896]])
    """M numbers if y was numbers, M rows of K numbers if y was rows."""
    model: AnsweringModel
    n_observations: int = Field(examples=[5])
    """Rows that the context had seen."""
    version: int = Field(examples=[1])
    """The version of the context that answered."""
    explanation: ExplanationAnswer | SkipJsonSchema[None] = None
    """What `explain` asked for."""


class MergeRequest(Schema):
    """The context to take in."""

    context: ContextName = Field(examples=[EXAMPLE_ID])
    """Its id. It is of the same model, decay and widths, and stays as it is."""
    allow_precision_loss: bool = Field(False, strict=True, examples=[False])
    """Whether it is meant even if what this context has seen loses its significant digits by it."""


def time_of(seconds: float) -> datetime:
    """Write seconds since 1970 as they are sent."""
    return datetime.fromtimestamp(seconds, UTC)


def names_of(columns: ColumnsRequest | None) -> ColumnNames | None:
    """Read the names that came with a request, if any did."""
    return None if columns is None else columns.names()
