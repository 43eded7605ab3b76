"""Pydantic validators from functions that raise `InvalidInput`.

All problems of a field are in one pydantic error, from which `api.validation_problems` extracts them; so the response
reports the problems of all fields.
"""

from collections.abc import Callable
from typing import TypeVar

from pydantic_core import PydanticCustomError

from service.errors import InvalidInput

PROBLEMS_ERROR_TYPE = "refused"
"""Pydantic error type with `Problem`s in its context, whose fields are relative to the validated one."""

Value = TypeVar("Value")


def validator_of(read: Callable[[object, str], Value], rule: str = "is refused") -> Callable[[object], Value]:
    """Return a pydantic validator.

    Args:
        read: Takes the JSON value and the prefix of positions in messages; raises InvalidInput.
        rule: The requirement, for the text of the pydantic error.
    """

    def validate(value: object) -> Value:
        try:
            return read(value, "")
        except InvalidInput as error:
            context = {"rule": rule, "problems": error.problems, "message": str(error)}
        raise PydanticCustomError(PROBLEMS_ERROR_TYPE, "{rule}: {message}", context)

    return validate
