"""Effects of the columns of a table, in requests and answers."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from service.schemas.schema import Schema
from service.tables.schema import Kind, Part

ExplainColumns = Annotated[list[Literal["effects"]], Field(max_length=1)]


class ColumnEffectAnswer(Schema):
    """The effect of one column on predictions, in units of the target; its mean over the rows is 0."""

    model_config = ConfigDict(from_attributes=True)

    column: str = Field(examples=["size"])
    kind: Kind = Field(examples=["number"])
    part: Part | SkipJsonSchema[None] = None
    """Of a time: each part has an effect."""
    strength: float
    """Its standard deviation over the rows."""
    values: list[float | str] = Field(examples=[[50, 100]])
    """Up to 33 numbers or times, or the levels of a category."""
    effect: list[float] = Field(examples=[[-80.0, 75.0]])
    """The effect of each of them."""
    lower: list[float | None] | SkipJsonSchema[None] = None
    upper: list[float | None] | SkipJsonSchema[None] = None
    missing: float | SkipJsonSchema[None] = None
    """The effect of a missing cell of a number or a time, if there is any."""
