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
    """The problem and its remedy, as text."""
    error_type: str = Field(examples=["invalid_input"])
    """The kind of the error, one fixed word."""
    detail: list[ErrorDetail] | None
    """Every problem by field, if it is about fields."""
