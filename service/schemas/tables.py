"""Tables in requests and answers: rows with named columns, of numbers, texts, yes or no, times and gaps."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainValidator
from pydantic.json_schema import SkipJsonSchema

from service.numbers import number
from service.schemas.column_effects import ColumnEffectAnswer, ExplainColumns
from service.schemas.contexts import ContextAnswer, ContextIdField, ContextNameField, DecayRequest, LabelsField, Seconds
from service.schemas.fields import Number, reading
from service.schemas.models import AnsweringModel
from service.schemas.predictions import DistributionAnswer, DistributionRequest, IntervalAnswer
from service.schemas.schema import Schema
from service.tables.memory import COLUMNS_LIMIT, MemoryTable, table_of_columns, table_of_records
from service.tables.requested import Requested
from service.tables.schema import TEXT_LENGTH_LIMIT, Kind, Task
from service.tables.text import MISSING, Decimal

Cell = float | str | bool | None
Name = Annotated[str, Field(max_length=TEXT_LENGTH_LIMIT)]
Names = Annotated[list[Name], Field(max_length=COLUMNS_LIMIT, fail_fast=True)]
Rows = Annotated[
    object,
    PlainValidator(lambda value: value, json_schema_input_type=list[dict[str, Cell]] | dict[str, list[Cell]]),
]
"""Records or columns; `table_of` reads them."""


def weight_of(value: object, field: str) -> str | float | None:
    """Read a weight: the name of a column, or a number.

    Raises:
        InvalidInput: It is neither.
    """
    if value is None or (isinstance(value, str) and len(value) <= TEXT_LENGTH_LIMIT):
        return value
    return number(value, field)


Weight = Annotated[str | float | None, reading(weight_of, Name | float | None)]
"""A column, or the weight of every row."""

HOUSES: list[dict[str, Any]] = [
    {"size": 51, "town": "Bern", "price": 181.2},
    {"size": 134, "town": "Basel", "price": 394.1},
    {"size": 87, "town": "Bern", "price": 271.5},
    {"size": None, "town": "Basel", "price": 322.0},
    {"size": 70, "town": "Bern"},
]


class RowsRequest(Schema):
    """Rows of a table."""

    missing: Names = Field([], examples=[[]])
    """Texts that mean that a cell is missing, in addition to the usual ones."""

    def table_of(self, rows: object, name: str) -> MemoryTable:
        """Make a table of rows.

        Raises:
            InvalidInput: They are no table.
        """
        missing = MISSING | {text.strip() for text in self.missing}
        if isinstance(rows, dict):
            return table_of_columns(rows, name, missing)
        return table_of_records(rows, name, missing)  # type: ignore[arg-type]  # `api.table_bodies` sees to it


class TableFields(RowsRequest):
    """A table, and known properties of its columns; the rest is inferred."""

    rows: Rows = Field(examples=[HOUSES])
    """The table: a list of records, or an object of columns, which are lists of one length. A cell is a number, a text,
    true, false, or null if it is missing."""
    features: Names | None = Field(None, examples=[["size", "town"]])
    """The columns to predict from; all others if left out."""
    ignore: Names = Field([], examples=[[]])
    """Columns that are not used."""
    keys: Names = Field([], examples=[[]])
    """Columns that name the rows; they are returned, and nothing is learnt from them."""
    weight: Name | None = None
    """A column of numbers: how much each row counts."""
    kinds: dict[Name, Kind] = Field({}, examples=[{"town": "category"}])
    """The kinds of columns that are not what they look like, by name."""
    task: Task | None = None
    """classification: the values of the target are classes, even if they are numbers. Inferred if left out."""
    decimal: Decimal | None = None
    """The decimal sign of numbers in text; inferred if left out."""

    def requested(self, target: str | None) -> Requested:
        """Convert to the core's type."""
        return Requested(
            target,
            None if self.features is None else tuple(self.features),
            tuple(self.ignore),
            tuple(self.keys),
            self.weight,
            self.kinds,
            self.task,
            self.decimal,
        )


class InspectRequest(TableFields):
    """A table to look at."""

    target: Name | None = Field(None, examples=["price"])
    """The column to predict, if it is known."""


class TablePredictRequest(TableFields, DistributionRequest):
    """A table, and the column of it to predict."""

    model_config = ConfigDict(populate_by_name=True)

    target: Name = Field(examples=["price"])
    """The column to predict: numbers, or 2 to 50 classes."""
    query: Rows = Field(None, examples=[[{"size": 70, "town": "Basel"}]])
    """The rows to predict; if left out, those of `rows` whose target is missing."""
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    """What becomes of each column: `schema` of an earlier answer; inferred if left out."""
    model: str | None = Field(None, max_length=100, examples=["nonlinear"])
    """Name of the model, from `GET /v1/models`; if left out, the default model, or `classifier` for classes."""
    version: str | None = Field(None, max_length=40)
    """Its version; the highest one if left out."""
    parameters: dict[str, Number] | None = Field(None, examples=[{}])
    """Numbers by name, of those that the model takes."""
    explain: ExplainColumns = Field([], examples=[[]])
    """effects: return the effect of each column on predictions, of models of numbers, in JSON."""
    nearest: int = Field(0, ge=0, le=20, examples=[0])
    """Return the numbers of so many rows with a target that are most like each predicted row, in JSON."""
    append: bool = Field(False, examples=[False])
    """Return all columns of the predicted and the nearest rows as text, in JSON."""


class AppendedAnswer(Schema):
    """The columns of a table, as text; null where a cell is missing."""

    rows: dict[str, list[str | None]]
    """Of the M predicted rows, by column."""
    nearest: dict[str, list[list[str | None]]] | SkipJsonSchema[None] = None
    """Of the rows nearest to each."""


class TableCreateContext(TableFields):
    """A context of rows of tables to create: by its first rows, or empty with a schema."""

    model_config = ConfigDict(populate_by_name=True)

    rows: Rows = Field(None, examples=[HOUSES])
    """The first rows; left out for an empty context with a schema."""
    target: Name | None = Field(None, examples=["price"])
    """The column to predict, if there are rows."""
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    """What becomes of each column: `schema` of an earlier answer; inferred by the rows if left out."""
    model: str | None = Field(None, max_length=100, examples=["linear"])
    """Name of a model that streams; if left out, the default model, or `classifier` for classes."""
    version: str | None = Field(None, max_length=40)
    """Its version; the highest one if left out. The context stays with it."""
    decay: DecayRequest = Field(None, examples=[None])
    """As for a context of arrays."""
    ttl: Seconds | None = Field(None, examples=[3600])
    """As for a context of arrays."""
    like: ContextIdField | None = Field(None, examples=[None])
    """The id of a context whose schema and scale to use, so that the two can be merged."""
    name: ContextNameField | None = Field(None, examples=["sensor 7"])
    """As for a context of arrays."""
    labels: LabelsField | None = Field(None, examples=[{"site": "berlin"}])
    """As for a context of arrays."""


class TableObservations(RowsRequest):
    """Further rows for a context of rows of tables."""

    rows: Rows = Field(examples=[[{"size": 93, "town": "Chur", "price": 250.0}]])
    """Records or columns, with the columns of the schema and the target; those without a target are not used."""
    weight: Weight = Field(None, examples=[None])
    """A column of weights, or the weight of every row; -1 takes the rows out again."""
    allow_precision_loss: bool = Field(False, strict=True, examples=[False])
    """As for arrays."""


class TableContextQuery(RowsRequest, DistributionRequest):
    """Rows to predict from a context of rows of tables."""

    query: Rows = Field(examples=[[{"size": 70, "town": "Basel"}]])
    """Records or columns, with the columns of the schema."""
    keys: Names = Field([], examples=[[]])
    """Columns that name the rows; they are returned."""
    parameters: dict[str, Number] | None = Field(None, examples=[{}])
    """Numbers by name, of those that the model takes."""


class ColumnAnswer(Schema):
    """What becomes of a column."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(examples=["town"])
    kind: Literal["number", "yes_no", "category", "time", "left_out", "target", "weight"] = Field(examples=["category"])
    description: str = Field(examples=["category of 2 levels: Basel, Bern; other levels count as none"])
    """One sentence."""


class InspectedColumn(ColumnAnswer):
    """What becomes of a column, and some of its cells."""

    missing: int
    """Missing cells, of the rows that have a target if one is named."""
    different: int | SkipJsonSchema[None] = None
    """Different values; left out if there are more than 10,000."""
    examples: list[str]
    """The first texts, or the lowest and the highest number or time."""


class FindingAnswer(Schema):
    """Cells of a column that are not as the schema has them."""

    column: str
    what: Literal["unreadable", "new_level", "target", "unknown_column"]
    """unreadable: they count as missing. new_level: the category has not got this level. target: the value cannot be
    read, so its row was not used. unknown_column: the table of the observations has no such column; it was not used."""
    cells: int
    """How many; 0 for a column as a whole."""
    example: str
    """The first."""
    place: str
    """Where it is."""


class TableNote(Schema):
    """A note on the predictions; see the codes of `NoteAnswer`."""

    code: str
    columns: list[str] | SkipJsonSchema[None] = None
    """The first of them, as the model has them: a level is `town=Bern`."""
    rows: list[int] | SkipJsonSchema[None] = None
    """The first of them, from 0."""


class TableAnswer(DistributionAnswer):
    """One prediction for each row."""

    prediction: list[float] | list[str]
    """M numbers, or M classes."""
    classes: list[str] | SkipJsonSchema[None] = None
    """The names of the K classes."""
    probabilities: list[list[float]] | SkipJsonSchema[None] = None
    """M rows of the K probabilities of the classes."""
    rows: list[int]
    """The numbers of the predicted rows, from 0: in `query`, or else in `rows`."""
    keys: dict[str, list[Cell]] | SkipJsonSchema[None] = None
    """The columns that name the predicted rows."""
    interval: IntervalAnswer | SkipJsonSchema[None] = None
    """The requested `interval`."""
    notes: list[TableNote] | SkipJsonSchema[None] = None  # type: ignore[assignment]  # with names of columns
    """Notes on the predictions; left out if there are none."""
    model: AnsweringModel
    n_observations: int
    """N, the rows that were learnt from."""
    findings: list[FindingAnswer]
    """Cells that are not as the schema has them."""
    read: list[str] | SkipJsonSchema[None] = None
    """Choices that reading a file has made; left out if there are none."""


class TablePredictAnswer(TableAnswer):
    """One prediction for each row, and the use of each column."""

    schema_: dict[str, Any] = Field(alias="schema")
    """What becomes of each column, for a later request."""
    columns: list[ColumnAnswer]
    """The same in words."""
    nearest: list[list[int]] | SkipJsonSchema[None] = None
    """For each predicted row the numbers of the rows that are most like it, the nearest first: by Euclidean distance of
    standardised columns, in which a missing cell counts as the mean."""
    effects: list[ColumnEffectAnswer] | SkipJsonSchema[None] = None
    """The requested effects of columns."""
    appended: AppendedAnswer | SkipJsonSchema[None] = None
    """The columns of the table, if they were requested."""


class TableContextPrediction(TableAnswer):
    """One prediction for each row."""

    version: int
    """The version of the context."""


class ObservedContext(ContextAnswer):
    """A context that has observed rows of tables."""

    findings: list[FindingAnswer]
    """Cells that are not as the schema has them; none when an earlier answer is repeated."""


class InspectAnswer(Schema):
    """What will be done to each column of a table."""

    columns: list[InspectedColumn]
    rows: int
    """Rows of the table, of those that have a target if one is named."""
    schema_: dict[str, Any] | SkipJsonSchema[None] = Field(None, alias="schema")
    """For a prediction; if there is a target."""
    read: list[str] | SkipJsonSchema[None] = None
    """Choices that reading a file has made; left out if there are none."""
