"""Names of columns, in requests and in contexts."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from service.errors import InvalidInput, Problem
from service.numbers import describe

COLUMN_NAME_LENGTH_LIMIT = 200
"""Characters of one name."""
NAMES_SIZE_LIMIT = 2**16
"""Bytes of the names of x, or of y, in UTF-8."""


def read_names(value: object, field: str) -> tuple[str, ...]:
    """Read a list of names.

    Raises:
        InvalidInput: It is not a list of names, or a name is too long or repeated.
    """
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        found = "a list with other values" if isinstance(value, list) else describe(value)
        raise InvalidInput(Problem(field, f"must be a list of names, one for each column; this is {found}."))
    try:
        return _checked(tuple(value))
    except ValueError as error:
        raise InvalidInput(Problem(field, f"{error}.")) from None


def _checked(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not 0 < len(name) <= COLUMN_NAME_LENGTH_LIMIT:
            raise ValueError(
                f"has a name of {len(name)} characters, {name[:40]!r}; it must have 1 to {COLUMN_NAME_LENGTH_LIMIT}"
            )
    try:
        size = len("".join(names).encode())
    except UnicodeEncodeError:
        raise ValueError("has a name that is not valid Unicode") from None
    if size > NAMES_SIZE_LIMIT:
        raise ValueError(f"has names of more than {NAMES_SIZE_LIMIT} bytes together. Send shorter ones")
    if len({*names}) < len(names):
        repeated, _ = Counter(names).most_common(1)[0]
        raise ValueError(f"has the name {repeated[:40]!r} twice")
    return names


Names = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_checked)] | None


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ColumnNames:
    """Names of the columns of x and of y, each optional; names within x and within y are unique."""

    x: Names = None
    y: Names = None

    def as_json(self) -> str | None:
        """Return the names as JSON in ASCII; None without names."""
        return None if self == NO_NAMES else json.dumps({"x": self.x, "y": self.y})


NO_NAMES = ColumnNames()


def names_from(text: str | None) -> ColumnNames:
    """Parse the result of `ColumnNames.as_json`."""
    return NO_NAMES if text is None else ColumnNames(**json.loads(text))


def restore_names(found: Mapping[str, Any]) -> dict[str, Any]:
    """Restore the names among the fields of a record that was read from JSON."""
    return {**found, "columns": ColumnNames(**(found.get("columns") or {}))}
