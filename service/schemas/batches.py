"""Batches: observations for many contexts in one request, and queries to many."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic.json_schema import SkipJsonSchema

from service.schemas.contexts import (
    EXAMPLE_ID,
    ColumnsRequest,
    ContextIdField,
    ContextNameField,
    NewContext,
    NewObservations,
)
from service.schemas.errors import ErrorDetail
from service.schemas.fields import IDEMPOTENCY_KEY, Number, Numbers, NumbersOrRows, Rows
from service.schemas.predictions import DistributionAnswer, DistributionRequest
from service.schemas.schema import ResponseModel, Schema
from service.schemas.tables import FindingAnswer, TableContextPrediction, TableContextQuery, TableObservations

ITEMS_LIMIT = 10_000
"""Items, or rows of columns, in one request."""


class Item(Schema):
    """A part of a batch, for one context."""

    context: ContextIdField | None = Field(None, examples=[EXAMPLE_ID])
    """The id of the context."""
    name: ContextNameField | None = Field(None, examples=[None])
    """The name of the context, instead of its id."""

    @model_validator(mode="after")
    def _check_context(self) -> Self:
        if (self.context is None) == (self.name is None):
            raise ValueError("name the context by one of context and name")
        return self


class ChangingItem(Item):
    """A part of a batch that changes its context."""

    idempotency_key: Annotated[str, StringConstraints(pattern=IDEMPOTENCY_KEY)] | None = Field(None, examples=[None])
    """As the header Idempotency-Key of `POST /v1/contexts/{context_id}/observations`, and shared with it."""
    if_version: Annotated[int, Field(strict=True, ge=1)] | None = Field(None, examples=[None])
    """Learn only if the context has this version."""


class ObservationItem(ChangingItem, NewObservations):
    """Observations for one context."""


class TableObservationItem(ChangingItem, TableObservations):
    """Rows for one context of rows of tables."""


class QueryItem(Item, DistributionRequest):
    """Queries to one context."""

    query: Rows = Field(examples=[[[6.0], [7.0]]])
    """M rows of D numbers; null where one is missing."""
    columns: ColumnsRequest | None = Field(None, examples=[None])
    """Names of the columns of the queries, as `x`."""
    parameters: dict[str, Number] | None = Field(None, examples=[{}])
    """Numbers by name, of those that the model takes."""


class TableQueryItem(Item, TableContextQuery):
    """Rows to predict from one context of rows of tables."""


class ColumnsOfContexts(Schema):
    """Rows of many contexts, each with its context; the rows of one context are one item, in their order."""

    contexts: list[str] | None = Field(None, min_length=1, max_length=ITEMS_LIMIT, examples=[[EXAMPLE_ID, EXAMPLE_ID]])
    """The id of the context of each row."""
    names: list[str] | None = Field(None, min_length=1, max_length=ITEMS_LIMIT, examples=[None])
    """The name of the context of each row, instead of the ids."""
    columns: ColumnsRequest | None = Field(None, examples=[None])
    """Names of the columns."""

    @model_validator(mode="after")
    def _check_contexts(self) -> Self:
        if (self.contexts is None) == (self.names is None):
            raise ValueError("name the contexts by one of contexts and names")
        return self


class CreateOption(Schema):
    """What becomes of unknown names."""

    create: NewContext | None = Field(None, examples=[None])
    """Create contexts of unknown names with these fields; an unknown name is an error if it is left out."""


class ObservationColumns(ColumnsOfContexts, CreateOption):
    """Observations of many contexts as columns: the smallest and fastest form of a batch."""

    x: Rows = Field(examples=[[[1.0], [2.0]]])
    """N rows of D numbers."""
    y: NumbersOrRows = Field(examples=[[2.1, 3.9]])
    """N numbers, or N rows of K numbers."""
    weight: Numbers | None = Field(None, examples=[None])
    """N numbers; 1 if left out."""
    allow_precision_loss: bool = Field(False, strict=True, examples=[False])
    """As for the observations of one context."""


class QueryColumns(ColumnsOfContexts, DistributionRequest):
    """Queries to many contexts as columns."""

    query: Rows = Field(examples=[[[6.0], [7.0]]])
    """M rows of D numbers."""


class ObservationItems(CreateOption):
    """Observations of many contexts as items."""

    items: list[ObservationItem | TableObservationItem] = Field(min_length=1, max_length=ITEMS_LIMIT)
    """Each is learnt or refused by itself. Items of one context are learnt in their order."""


class QueryItems(Schema):
    """Queries to many contexts as items."""

    items: list[QueryItem | TableQueryItem] = Field(min_length=1, max_length=ITEMS_LIMIT)
    """Each is answered or refused by itself."""


class FailedItem(ResponseModel):
    """An item that changed nothing: the body of its error."""

    error: str
    error_type: str = Field(examples=["unknown_context"])
    detail: list[ErrorDetail] | SkipJsonSchema[None] = None
    """Every problem by field, if it is about fields."""
    rows: list[int] | SkipJsonSchema[None] = None
    """Of a request of columns: the numbers of the rows of the item, from 0."""


class ObservedItem(ResponseModel):
    """The context of an item that was learnt."""

    context: str = Field(examples=[EXAMPLE_ID])
    """Its id."""
    name: str | SkipJsonSchema[None] = None
    """Its name, if it has one."""
    version: int = Field(examples=[2])
    """After the item; the ETag."""
    n_observations: int = Field(examples=[5])
    """Rows observed, whatever their weights."""
    rows: list[int] | SkipJsonSchema[None] = None
    """Of a request of columns: the numbers of the rows of the item, from 0."""
    findings: list[FindingAnswer] | SkipJsonSchema[None] = None
    """Of an item of rows: cells that are not as the schema has them; none when the answer under its key is repeated."""


class ObservationResults(ResponseModel):
    """One result for each item, in their order; of columns one for each context, in the order of its first row."""

    results: list[ObservedItem | FailedItem]
    failed: int = Field(examples=[0])
    """How many items failed."""


class PredictedItem(DistributionAnswer):
    """The predictions of one context."""

    model_config = ConfigDict(frozen=True)

    context: str = Field(examples=[EXAMPLE_ID])
    """Its id."""
    name: str | SkipJsonSchema[None] = None
    """Its name, if it has one."""
    version: int = Field(examples=[2])
    n_observations: int = Field(examples=[5])
    prediction: list[float] | list[list[float]] = Field(examples=[[11.927, 13.896]])
    """M numbers if y was numbers, M rows of K numbers if y was rows."""
    rows: list[int] | SkipJsonSchema[None] = None
    """Of a request of columns: the numbers of the rows of the item, from 0."""


class PredictedTableItem(TableContextPrediction):
    """The predictions of one context for rows of a table."""

    model_config = ConfigDict(frozen=True)

    context: str = Field(examples=[EXAMPLE_ID])
    """Its id."""
    name: str | SkipJsonSchema[None] = None
    """Its name, if it has one."""


class PredictionResults(ResponseModel):
    """One result for each item, in their order; of columns one for each context, in the order of its first row."""

    results: list[PredictedTableItem | PredictedItem | FailedItem]
    failed: int = Field(examples=[0])
    """How many items failed."""
