"""What `service.errors` says of a field, on its way through pydantic.

Everything wrong with a field travels in one pydantic error, from which `api.problems` takes it out again; so a request
that has several bad fields is told about all of them.
"""

from collections.abc import Callable
from typing import TypeVar

from pydantic_core import PydanticCustomError

from service.errors import InvalidInput

REFUSED = "refused"
"""The pydantic error type that carries `Problem`s, named relative to the field, in its context."""

Value = TypeVar("Value")


def refusing(read: Callable[[object, str], Value], rule: str = "is refused") -> Callable[[object], Value]:
    """Make a pydantic validator of a reader.

    Args:
        read: Takes the JSON value and the name to begin every position with; raises InvalidInput.
        rule: What the value should be, for those who see the pydantic error.
    """

    def validate(value: object) -> Value:
        try:
            return read(value, "")
        except InvalidInput as error:
            told = {"problems": error.problems, "told": str(error)}
        raise PydanticCustomError(REFUSED, "{rule}: {told}", {"rule": rule, **told})

    return validate
