"""Contexts: their settings, observations, queries and state."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from service.column_names import NO_NAMES, ColumnNames, read_names
from service.contexts.labels import (
    LABEL_KEY_LENGTH_LIMIT,
    LABEL_VALUE_LENGTH_LIMIT,
    LABELS_LIMIT,
    NAME_LENGTH_LIMIT,
    REFUSED,
    Labels,
    read_labels,
    read_name,
)
from service.errors import InvalidInput, Problem
from service.explaining.terms import Part, parts
from service.numbers import describe, number
from service.schemas.explanations import ExplanationAnswer, ImplicitWeightsAnswer, weights_of
from service.schemas.fields import Number, Numbers, Rows, reading
from service.schemas.models import AnsweringModel, ModelReference
from service.schemas.predictions import DistributionAnswer, DistributionRequest, ObservationsBody
from service.schemas.schema import ResponseModel, Schema
from service.states.forgetting import AUTO, RULE, Auto, Decay

if TYPE_CHECKING:
    from service.contexts.records import ContextDetails, ContextRecord, RecordPage

SHARDS_LIMIT = 64
"""Shards of one context: a read joins their states."""
TTL_LIMIT = 10 * 365 * 86_400
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
        raise InvalidInput(Problem(field, f"{RULE}; this is {describe(value)}."))
    return number(value, field)


ContextIdField = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
_Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_LIMIT, pattern=f"^[^{REFUSED}]+$")]
_Key = Annotated[str, Field(min_length=1, max_length=LABEL_KEY_LENGTH_LIMIT, pattern=f"^[^{REFUSED}:]+$")]
_Value = Annotated[str, Field(min_length=1, max_length=LABEL_VALUE_LENGTH_LIMIT, pattern=f"^[^{REFUSED}]+$")]
ContextNameField = Annotated[str, reading(read_name, _Name)]
LabelsField = Annotated[Labels, reading(read_labels, Annotated[dict[_Key, _Value], Field(max_length=LABELS_LIMIT)])]
DecayRequest = Annotated[Decay, reading(decay_of, Annotated[float, Field(gt=0, le=1)] | Auto | None)]
"""A number, whose range the core checks, or "auto"."""
PartOfState = Literal["implicit_weights", "effects", "pairs", "blocks"]
ExplainState = Annotated[tuple[Part, ...], reading(parts, bool | list[PartOfState] | None)]
"""As for `POST /v1/predict`; the core refuses parts that need the observations."""
ColumnNamesField = Annotated[tuple[str, ...], reading(read_names, Annotated[list[str], Field(min_length=1)])] | None
Seconds = Annotated[int, Field(strict=True, ge=1, le=TTL_LIMIT)]


class ScaleRequest(Schema):
    """Location and scale by which the columns of x are standardised for features."""

    center: Numbers = Field(examples=[[0.0]])
    """D numbers, near the mean of each column."""
    spread: Numbers = Field(examples=[[1.0]])
    """D numbers, near the standard deviation of each column; 0 makes no features of the column."""


class ColumnsRequest(Schema):
    """Names of columns, in the order of the columns in this request."""

    x: ColumnNamesField = Field(None, examples=[["size"]])
    """D names, of the columns of x and of queries."""
    y: ColumnNamesField = Field(None, examples=[["price"]])
    """K names, one where y is numbers."""

    def names(self) -> ColumnNames:
        """Convert to the core's type."""
        return ColumnNames(self.x, self.y)


class NewObservations(ObservationsBody):
    """N observations for a context, whose columns may have names."""

    columns: ColumnsRequest | None = Field(None, examples=[None])
    """Names of the columns of x and y. A context with names matches columns by name and refuses unknown ones; a context
    without names takes these. Without names here, columns are matched by position."""
    allow_precision_loss: bool = Field(False, strict=True, examples=[False])
    """Whether to learn them even if earlier observations lose their significant digits by them; an observation so far
    out is refused otherwise (`precision_loss`)."""


class NewContext(Schema):
    """What a context is created with."""

    model: str | None = Field(None, max_length=100, examples=["linear"])
    """Name of a model that streams, from `GET /v1/models`; the default model if left out."""
    version: str | None = Field(None, pattern=r"^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}$", examples=["2.0.0"])
    """Version of the model; the newest if left out. The context stays with it."""
    decay: DecayRequest = Field(None, examples=[None])
    """The factor on the weight of every observation after one more, such as 0.99; `"auto"` chooses it by the
    observations, for models with intervals; nothing is forgotten if left out."""
    ttl: Seconds | None = Field(None, examples=[3600])
    """Seconds until the context expires after its last use; GDSSM_CONTEXT_TTL if left out."""
    scale: ScaleRequest | None = Field(None, examples=[None])
    """The scale of the features of x, for models that make features; by the first 33 observations if left out.
    Contexts of one scale merge exactly, and observations can be removed from them exactly."""
    like: ContextIdField | None = Field(None, examples=[None])
    """The id of a context whose scale to use, so that the two can be merged."""
    columns: ColumnsRequest | None = Field(None, examples=[None])
    """Names of the columns of x and y, stored with the context: later observations and queries with names are matched
    by them. If left out, the context takes the first names that come with observations."""
    labels: LabelsField | None = Field(None, examples=[{"site": "berlin"}])
    """At most 16 texts by their keys, by which `GET /v1/contexts?label=site:berlin` finds the context. A key has no
    colon."""


class NamedContext(NewContext):
    """A context that is created unless there is one of its name.

    An existing context takes `ttl` and `labels`; its model, version, decay and names of columns must be those given
    here. `scale` and `like` are used only when it is created.
    """


class ContextChange(Schema):
    """New values of fields of a context; those that are left out or null stay."""

    name: ContextNameField | None = Field(None, examples=["sensor 7"])
    """Another name."""
    labels: LabelsField | None = Field(None, examples=[{"site": "berlin"}])
    """Its new labels, which replace the earlier ones."""
    ttl: Seconds | None = Field(None, examples=[3600])
    """Seconds until the context expires after its last use."""


class CreateContext(NewContext):
    """A context to create, empty or with its first observations."""

    name: ContextNameField | None = Field(None, examples=["sensor 7"])
    """Your name for it, unique among your contexts. `PUT /v1/contexts/by-name/{name}` creates or returns it."""
    shards: int = Field(0, strict=True, ge=0, le=SHARDS_LIMIT, examples=[0])
    """Rows of the database into which observations are learnt at the same time, for a context that many replicas
    change; the order of its observations does not count, so it has no decay. The first ones are sent here."""
    observations: ObservationsBody | None = Field(
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
    name: str | None = Field(None, examples=["sensor 7"])
    """Your name for it, if it has one."""
    labels: dict[str, str] = Field({}, examples=[{"site": "berlin"}])
    """Texts by which a list finds it."""
    model: ModelReference
    decay: float | Auto | None = Field(examples=[None])
    """The factor on the weight of every observation after one more; null forgets nothing."""
    memory_length: float | None = Field(None, examples=[None])
    """With decay `"auto"` the effective number of observations in the context; null otherwise."""
    n_observations: int = Field(examples=[3])
    """Rows observed, whatever their weights."""
    inputs: int | None = Field(examples=[1])
    """D, the columns of x; null until the first observation, where the model does not fix it."""
    outputs: int | None = Field(examples=[1])
    """K, the columns of y; null until the first observation, where the model does not fix it."""
    version: int = Field(examples=[1])
    """One more with every change; the ETag."""
    ttl: int = Field(examples=[3600])
    """Seconds until the context expires after its last use."""
    created: datetime = Field(examples=["2026-11-22T08:00:00Z"])
    updated: datetime = Field(examples=["2026-11-22T08:00:00Z"])
    """When it last changed."""
    expires: datetime = Field(examples=["2026-11-22T09:00:00Z"])
    """When it expires, unless it is used before."""

    @classmethod
    def of(cls, record: "ContextRecord") -> Self:
        """Convert a record."""
        model = ModelReference(name=record.model, version=record.model_version)
        columns = None if record.columns == NO_NAMES else ColumnsAnswer(x=record.columns.x, y=record.columns.y)
        return cls.model_validate({**vars(record), "model": model, "columns": columns}, extra="ignore")


class ContextAnswer(ContextListed):
    """A context without its state."""

    columns: ColumnsAnswer | None = Field(None, examples=[None])
    """Names of its columns; null if it has none."""
    shards: int = Field(0, examples=[0])
    """Rows into which observations are learnt at the same time; 0 for an ordinary context."""


class DescribedColumn(ResponseModel):
    """What becomes of a column of tables."""

    name: str
    kind: str
    description: str
    """One sentence."""


class ContextView(ContextAnswer):
    """A context with its implicit weights."""

    schema_: dict[str, Any] | None = Field(None, alias="schema", examples=[None])
    """What becomes of each column of its tables; null for a context of arrays."""
    described: list[DescribedColumn] | None = Field(None, examples=[None])
    """The same in words."""

    implicit_weights: ImplicitWeightsAnswer | None = Field(None, examples=[{"weights": [2.0], "intercept": 0.0}])
    """Null without observations, and for models that have none."""
    digits_left: int | None = Field(None, examples=[15])
    """Significant digits of the variation in the column that has fewest: below 6 observations cannot be removed
    exactly. Null while no column varies, and for models that cannot remove observations."""

    @classmethod
    def showing(cls, details: "ContextDetails") -> Self:
        """Convert a record with details."""
        weights, text = weights_of(details.weights), details.record.table_schema
        fields: dict[str, Any] = {"implicit_weights": weights, "digits_left": details.digits_left}
        if text is not None:
            described = [DescribedColumn(**column._asdict()) for column in details.described]
            fields |= {"schema_": json.loads(text), "described": described}
        return cls.of(details.record).model_copy(update=fields)


class ContextPage(ResponseModel):
    """Some of the caller's contexts, oldest first."""

    contexts: tuple[ContextListed, ...]
    after: str | None = Field(examples=[None])
    """Send it as `?after=` for the next page; null at the end."""

    @classmethod
    def of(cls, page: "RecordPage") -> Self:
        """Convert a page."""
        return cls(contexts=tuple(map(ContextListed.of, page.contexts)), after=page.after)


class ContextQuery(DistributionRequest):
    """Queries to a context."""

    query: Rows = Field(examples=[[[6.0], [7.0]]])
    """M rows of D numbers: the inputs to predict for; null where one is missing, as in x."""
    columns: ColumnsRequest | None = Field(None, examples=[None])
    """Names of the columns of the queries, as `x`; a context with names matches them by name."""
    parameters: dict[str, Number] | None = Field(None, examples=[{}])
    """Numbers by name, of those that the model takes, as `{"learning_rate": 0.1}` for gd-1 and gd-8."""
    explain: ExplainState = Field((), examples=[["implicit_weights"]])
    """The parts of an explanation, with these parameters: a list of `"implicit_weights"`, `"effects"`, `"pairs"` and
    `"blocks"`, or `true` for all that the model has. A context has no contributions, as it stores no observations."""


class ContextPrediction(DistributionAnswer):
    """One prediction for each query."""

    prediction: list[float] | list[list[float]] = Field(examples=[[11.927, 13.896]])
    """M numbers if y was numbers, M rows of K numbers if y was rows."""
    model: AnsweringModel
    n_observations: int = Field(examples=[5])
    """The number of rows observed."""
    version: int = Field(examples=[1])
    """The version of the context."""
    explanation: ExplanationAnswer | SkipJsonSchema[None] = None
    """The requested parts."""


class MergeRequest(Schema):
    """The context to merge."""

    context: ContextIdField = Field(examples=[EXAMPLE_ID])
    """Its id. It has the same model, decay and widths, and does not change."""
    allow_precision_loss: bool = Field(False, strict=True, examples=[False])
    """Whether to merge it even if the observations of this context lose their significant digits by it."""


def names_of(columns: ColumnsRequest | None) -> ColumnNames | None:
    """Convert the names of columns, if there are any."""
    return None if columns is None else columns.names()
