"""Pydantic fields from functions that raise `InvalidInput`, such as the arrays of numbers that `service.numbers` reads.

`api.validation_problems` extracts the problems of all fields from pydantic's error, so that the response reports them.
"""

from collections.abc import Callable, Collection
from typing import Annotated, TypeVar

import numpy as np
from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from service import numbers
from service.errors import InvalidInput
from service.explaining.terms import Part, parts
from service.inference.sizes import Array

Value = TypeVar("Value")

PROBLEMS_ERROR_TYPE = "refused"
"""Pydantic error type with `Problem`s in its context, whose fields are relative to the validated one."""
IDEMPOTENCY_KEY = r"^[ -~]{1,200}$"
"""Pattern of a key under which a change is made once."""


def validator_of(
    read: Callable[[object, str], Value], rule: str = "is refused", axes: Collection[int] = ()
) -> Callable[[object], Value]:
    """Return a pydantic validator; all problems of a field are in one pydantic error.

    Args:
        read: Takes the JSON value and the prefix of positions in messages; raises InvalidInput.
        rule: The requirement, for the text of the pydantic error.
        axes: Numbers of axes of arrays that are valid unchanged; the parsers of bodies have checked their numbers.
    """

    def validate(value: object) -> Value:
        if type(value) is np.ndarray and value.ndim in axes:
            return value  # type: ignore[return-value]  # `read` returns arrays too
        try:
            return read(value, "")
        except InvalidInput as error:
            context = {"rule": rule, "problems": error.problems, "message": str(error)}
        raise PydanticCustomError(PROBLEMS_ERROR_TYPE, "{rule}: {message}", context)

    return validate


def reading(read: Callable[[object, str], Value], sent_as: object, axes: Collection[int] = ()) -> PlainValidator:
    """Make a validator of a reader; see `validator_of`.

    Args:
        read: Takes the JSON value and the prefix of positions in messages; raises InvalidInput.
        sent_as: The type in the JSON schema.
        axes: Numbers of axes of arrays that are valid unchanged.
    """
    return PlainValidator(validator_of(read, axes=axes), json_schema_input_type=sent_as)


_Row = Annotated[list[float], Field(min_length=1)]
_Cells = Annotated[list[float | None], Field(min_length=1)]
_Numbers = Annotated[list[float], Field(min_length=1)]
_Rows = Annotated[list[_Row], Field(min_length=1)]

Rows = Annotated[Array, reading(numbers.matrix_with_missing, Annotated[list[_Cells], Field(min_length=1)], (2,))]
"""(N, D): rows of one width; NaN where a cell is null, for missing."""
Row = Annotated[Array, reading(numbers.vector_with_missing, _Cells, (1,))]
"""(D,): one row; NaN where a cell is null."""
Numbers = Annotated[Array, reading(numbers.vector, _Numbers, (1,))]
"""(N,)"""
NumbersOrRows = Annotated[Array, reading(numbers.vector_or_matrix, _Numbers | _Rows, (1, 2))]
"""(N,) or (N, K), whichever was sent."""
NumberOrNumbers = Annotated[Array, reading(numbers.number_or_vector, float | _Numbers)]
"""() or (K,), whichever was sent."""
Number = Annotated[float, reading(numbers.number, float)]
"""Finite, and never a text or a boolean."""
Explain = Annotated[tuple[Part, ...], reading(parts, bool | list[Part] | None)]
"""True, false, or parts by name."""
