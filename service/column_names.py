"""Names of columns: in requests and in contexts, whose order the columns of a request take by their names."""

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from service.errors import InvalidInput, Problem
from service.inference.sizes import Array
from service.numbers import describe

if TYPE_CHECKING:
    from service.inference.predictor import Observations
    from service.levels import Levels

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


NAMES_REPORTED = 5
"""Names that a message repeats."""


def arrange(known: ColumnNames, new: "Observations") -> tuple["Observations", ColumnNames]:
    """Put the columns of observations where they stand in a context; levels that it has not follow its columns.

    Args:
        known: Names that the context has.
        new: Observations, with names or without; without, their columns keep their order.

    Returns:
        The observations, and the names that the context has after them.

    Raises:
        InvalidInput: A column is missing or unknown, or there are not as many names as columns.
    """
    sent = new.columns or NO_NAMES
    if sent == NO_NAMES:
        return new, known
    x_order = _column_order("x", known.x, sent.x, new.x.shape[1], new.levels)
    y_order = _column_order("y", known.y, sent.y, math.prod(new.y.shape[1:]))
    names = ColumnNames(sent.x or known.x, known.y or sent.y)
    if x_order is not None and sent.x is not None:
        names = dataclasses.replace(names, x=tuple(sent.x[i] for i in x_order))
        levels = tuple(np.flatnonzero(np.isin(x_order, new.levels)).tolist())
        new = new._replace(x=new.x[:, x_order], levels=levels)
    return new._replace(y=new.y if y_order is None else new.y[:, y_order], columns=None), names


def arrange_query(known: ColumnNames, query: Array, sent: ColumnNames | None) -> Array:
    """Put the columns of queries (M, D) where they stand in a context; raises as `arrange`."""
    order = None if sent is None else _column_order("x", known.x, sent.x, query.shape[1])
    return query if order is None else query[:, order]


def join_names(older: ColumnNames, newer: ColumnNames) -> ColumnNames:
    """Name the columns of two contexts that are merged: where one has no names, it takes those of the other.

    Raises:
        InvalidInput: The names differ, or their order.
    """
    for axis, one, other in (("x", older.x, newer.x), ("y", older.y, newer.y)):
        if one is not None and other is not None and one != other:
            text = f"are named {_shown(one)} in this context, and {_shown(other)} in the other"
            reason = f"the columns of {axis} {text}. Merge contexts of the same columns in the same order."
            raise InvalidInput(Problem("context", f"does not fit: {reason}"))
    return ColumnNames(older.x or newer.x, older.y or newer.y)


def width_with_names(names: Names, width: int | None, field: str) -> int | None:
    """Say how many columns there are, by their names if there are any.

    Raises:
        InvalidInput: There are not as many names as columns.
    """
    if names is None or width in {None, len(names)}:
        return width if names is None else len(names)
    text = f"has {len(names)} names; this context is for {width} columns. Send one for each."
    raise InvalidInput(Problem(field, text))


def _column_order(axis: str, known: Names, sent: Names, width: int, levels: "Levels" = ()) -> NDArray[np.intp] | None:
    """Find the columns of a context, and then further levels, among those that were sent; None for the same order."""
    if sent is None:
        return None
    field = f"columns.{axis}"
    if len(sent) != width:
        raise InvalidInput(Problem(field, f"has {len(sent)} names; there are {width} columns. Send one for each."))
    if known is None or known == sent:
        return None
    place = {name: i for i, name in enumerate(sent)}
    missing = [name for name in known if name not in place]
    further = [name for i, name in enumerate(sent) if name not in {*known} and i in {*levels}]
    unknown = [name for name in sent if name not in {*known, *further}]
    if missing or unknown:
        found = [f"has no {_shown(missing)}"] * bool(missing) + [f"has {_shown(unknown)} in addition"] * bool(unknown)
        text = f"{' and '.join(found)}; the columns of this context are {_shown(known)}. Send these."
        raise InvalidInput(Problem(field, text))
    return np.array([place[name] for name in (*known, *further)])


def _shown(names: Iterable[str]) -> str:
    """Write the first of some names."""
    names = list(names)
    more = f" and {len(names) - NAMES_REPORTED} more" if len(names) > NAMES_REPORTED else ""
    return ", ".join(repr(name[:40]) for name in islice(names, NAMES_REPORTED)) + more
