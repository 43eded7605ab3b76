"""The one error body of every route."""

from pydantic import Field

from service.schemas.schema import Schema


class ErrorDetail(Schema):
    """One thing wrong with one field."""

    field: str = Field(examples=["context.y[3]"])
    """Where; empty for the request as a whole."""
    message: str = Field(examples=["must be a number; this is null. Fill it in, or leave the row out."])


class ErrorBody(Schema):
    """Every error on every route."""

    error: str = Field(examples=["context.y[3]: must be a number; this is null. Fill it in, or leave the row out."])
    """What is wrong and what to do, in words."""
    error_type: str = Field(examples=["invalid_input"])
    """The same for a program: one fixed word for each kind of error."""
    detail: list[ErrorDetail] | None
    """Every problem found, by field, where there are fields to name."""
