"""JSON objects whose lists of numbers are arrays at once, without a Python object for each number.

This is a short cut and not a second reader: what is in any way unusual it leaves to the parser of record, whose words
the caller hears, and what it does read goes through the same pydantic models.
"""

from itertools import chain, islice
from types import NoneType

import numpy as np
import simdjson

from service.api.names import NAMES
from service.inference.sizes import Array
from service.numbers import Cells

ROWS_AT_ONCE = 4096
"""Between two of these other threads may run."""
CELLS_AT_ONCE = 8192
"""As many, where each is looked at."""


class _Unusual(ValueError):
    """Not for this reader."""


def decode(body: bytes) -> dict[str, object] | None:
    """Read a JSON object; every list of numbers in it becomes an array (N,), every list of rows of one width (N, D).

    With null among the cells of the rows these are `Cells`.

    Args:
        body: UTF-8.

    Returns:
        The object; None if it is not one, if a name is there twice, or if a list is anything else than numbers, rows of
        one width, texts or objects. That may be right or wrong: the parser of record tells.
    """
    try:
        document = simdjson.Parser().parse(body)
        if not isinstance(document, simdjson.Object) or not body.startswith(b"{"):
            return None
        lists = _Lists()
        value = lists.of_object(document)
    except (ValueError, TypeError, LookupError, RuntimeError):  # what simdjson raises, by what it met
        return None
    return value if lists.met == _opening_brackets(body) else None


class _Lists:
    """Turns the lists of one document into arrays, and counts them: a list that hides in a row is noticed by that."""

    def __init__(self) -> None:
        self.met = 0

    def of_object(self, found: simdjson.Object) -> dict[str, object]:
        names = list(islice(found, NAMES + 1))
        if len(names) > NAMES:  # each is looked for among all of them
            raise _Unusual
        value = {name: self._value(found[name]) for name in names}
        if len(value) != len(names):
            raise _Unusual
        return value

    def _value(self, found: object) -> object:
        kind = type(found)
        if kind is simdjson.Array:
            return self._list(found)  # type: ignore[arg-type]  # it is one
        return self.of_object(found) if kind is simdjson.Object else found  # type: ignore[arg-type]

    def _list(self, found: simdjson.Array) -> Array | Cells | list[object]:
        size = len(found)
        first: object = type(found[0]) if size else None
        if first is float or first is int:
            self.met += 1
            return np.frombuffer(found.as_buffer(of_type="d"))
        if first is not simdjson.Array:
            if size > NAMES:
                raise _Unusual
            self.met += 1
            return [self._value(inner) for inner in found]
        self.met += 1 + size
        if size > ROWS_AT_ONCE:
            _check_widths(found)
        widths = {*map(len, islice(found, ROWS_AT_ONCE))}  # type: ignore[arg-type]  # what has no length is a TypeError
        width = widths.pop()
        if widths or not width:
            raise _Unusual
        try:
            return np.ndarray((size, width), np.float64, found.as_buffer(of_type="d"))
        except TypeError:  # not numbers alone
            return _cells(found, width)


def _cells(found: simdjson.Array, width: int) -> Cells:
    """Read rows of numbers and null, in runs between which other threads may go on."""
    rows, runs, at_once = iter(found), list[Array](), max(CELLS_AT_ONCE // width, 1)
    while run := [[*row] for row in islice(rows, at_once)]:  # type: ignore[misc]  # as in `_list`
        if not {*map(type, chain.from_iterable(run))} <= {int, float, NoneType}:
            raise _Unusual
        runs.append(np.array(run, np.float64))
    return Cells(np.concatenate(runs))


def _check_widths(found: simdjson.Array) -> None:
    """See that many rows have one width, in runs between which other threads may go on."""
    rows, widths = iter(found), set[int]()
    while run := {*map(len, islice(rows, ROWS_AT_ONCE))}:  # type: ignore[arg-type]  # as in `_list`
        widths |= run
        if len(widths) > 1:
            raise _Unusual


def _opening_brackets(body: bytes) -> int:
    """Count them; `bytes.count` looks at each byte on its own, which takes eight times as long."""
    return len(body) - len(body.replace(b"[", b""))
