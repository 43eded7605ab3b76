"""Arrays of numbers as pydantic fields: validated by `service.numbers` to numpy arrays."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import Field, PlainValidator

from service import numbers
from service.explaining.terms import Part, parts
from service.inference.sizes import Array
from service.refusals import validator_of

Value = TypeVar("Value")

IDEMPOTENCY_KEY = r"^[ -~]{1,200}$"
"""Pattern of a key under which a change is made once."""


def reading(read: Callable[[object, str], Value], sent_as: object) -> PlainValidator:
    """Make a validator of a reader.

    Args:
        read: Takes the JSON value and the prefix of positions in messages; raises InvalidInput.
        sent_as: The type in the JSON schema.
    """
    return PlainValidator(validator_of(read), json_schema_input_type=sent_as)


_Row = Annotated[list[float], Field(min_length=1)]
_Cells = Annotated[list[float | None], Field(min_length=1)]
_Numbers = Annotated[list[float], Field(min_length=1)]
_Rows = Annotated[list[_Row], Field(min_length=1)]

Rows = Annotated[Array, reading(numbers.matrix_with_missing, Annotated[list[_Cells], Field(min_length=1)])]
"""(N, D): rows of one width; NaN where a cell is null, for missing."""
Row = Annotated[Array, reading(numbers.vector_with_missing, _Cells)]
"""(D,): one row; NaN where a cell is null."""
Numbers = Annotated[Array, reading(numbers.vector, _Numbers)]
"""(N,)"""
NumbersOrRows = Annotated[Array, reading(numbers.vector_or_matrix, _Numbers | _Rows)]
"""(N,) or (N, K), whichever was sent."""
NumberOrNumbers = Annotated[Array, reading(numbers.number_or_vector, float | _Numbers)]
"""() or (K,), whichever was sent."""
Number = Annotated[float, reading(numbers.number, float)]
"""Finite, and never a text or a boolean."""
Explain = Annotated[tuple[Part, ...], reading(parts, bool | list[Part] | None)]
"""True, false, or parts by name."""
