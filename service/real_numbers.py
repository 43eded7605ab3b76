"""What a number is: one rule for the client, the estimators, files, JSON and binary bodies.

- A number is an integer, a floating-point number of any width, a Decimal or a Fraction. It becomes the nearest float64:
  of an integer beyond 2**53 the last digits are rounded, as they are of every decimal fraction.
- It is finite in float64.
- A boolean, text (also "1"), a complex number, a time and a duration are no numbers, in whatever array or frame they
  stand; 1 and 0, or columns of them, say the same and are numbers. A category is what its label is. CSV files and the
  tables of the page (`web/table/columns.js`) are text throughout: there a cell is a number if it is written in decimal
  with ASCII digits.
- None, null, NA, NaN and what a mask hides are missing. A cell of x or of a query may be missing where the model takes
  missing cells; y and weights are never missing.
- A refusal names the cell or the column, what stands there, and the remedy.

`numbers` applies the rule to JSON, `tensors` to binary bodies, `files` to files, `client.arrays` and `client.frames` to
whatever a caller of Python has.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, time, timedelta
from decimal import Decimal
from numbers import Complex, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
MAX_REPORTED_NUMBERS = 5
"""Flaws that are looked for at most."""

BOOLEAN = "Send 1 and 0 instead; in Python astype(float) makes them."
TEXT = "Convert text that is a number; encode a category as one column of 1 and 0 for each of its values."
TIME = "Send a number, such as the days since a fixed date."
DURATION = "Send a number, such as seconds."
COMPLEX = "Complex data not supported: send the real and the imaginary part as two columns."
OTHER = "Send integers or floating-point numbers."
FINITE = "Send a finite number."
MISSING = "Fill it in, or leave the row out."

REMEDY_BY_DTYPE_KIND = {"b": BOOLEAN, "U": TEXT, "S": TEXT, "T": TEXT, "M": TIME, "m": DURATION, "c": COMPLEX}
"""By numpy's kind of dtype."""
REMEDY_BY_TYPE: tuple[tuple[type | tuple[type, ...], str | None], ...] = (
    (bool, BOOLEAN),
    ((Real, Decimal), None),
    ((str, bytes, bytearray), TEXT),
    (Complex, COMPLEX),
    ((date, time), TIME),
    (timedelta, DURATION),
)
"""By type; None for numbers. The first one that fits: a boolean is Real, and a real number Complex, for Python."""
INFINITE = "is infinite, or too large for float64"


class Flaw(NamedTuple):
    """Something that is not a number."""

    place: tuple[int, ...]
    """Where in the array; empty if it is the whole array."""
    what: str
    """What is there, as in `is of type bool`."""
    remedy: str


class Flawed(Exception):
    """Something is not numbers; carries the first flaws."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__()
        self.flaws = flaws


def float64(array: NDArray[Any], *, missing: bool = False) -> F64:
    """Bring an array of any shape and dtype to float64; NaN where a cell is missing.

    Args:
        array: May be masked.
        missing: Whether a cell may be missing.

    Raises:
        Flawed: It does not hold numbers alone.
    """
    kind, hidden = array.dtype.kind, None
    if kind not in "fiuO":
        raise Flawed(Flaw((), f"is of type {array.dtype}", REMEDY_BY_DTYPE_KIND.get(kind, OTHER)))
    if isinstance(array, np.ma.MaskedArray):
        array, hidden = np.asarray(array.data), np.ma.getmaskarray(array)
    if kind == "O":
        numbers = _of_values(array, np.zeros(array.shape, bool) if hidden is None else hidden)
    else:
        with np.errstate(over="ignore"):
            numbers = np.asarray(array, np.float64)
        if hidden is not None:
            numbers = np.where(hidden, np.nan, numbers)
    check_finite(numbers, missing=missing)
    return numbers


def check_finite(numbers: F64, *, missing: bool) -> None:
    """See that numbers are finite, and NaN only where they may be missing.

    Raises:
        Flawed: They are not.
    """
    finite = np.isfinite(numbers)
    if finite.all():
        return
    bad = np.argwhere(np.isinf(numbers) if missing else ~finite)[:MAX_REPORTED_NUMBERS].tolist()
    if bad:
        raise Flawed(*(_not_finite(tuple(place), numbers[tuple(place)]) for place in bad))


def number_of(value: object) -> float:
    """Read one number; NaN if it is missing, infinite if it is too large.

    Raises:
        Flawed: It is none.
    """
    if type(value) is float:
        return value
    value = _inner(value)
    if value is None:
        return np.nan
    flaw = _flaw_of(value)
    if flaw:
        raise Flawed(flaw)
    if isinstance(value, Decimal) and value.is_nan():
        return np.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return np.inf
    except (TypeError, ValueError, RuntimeError) as error:
        raise Flawed(Flaw((), f"is of type {type(value).__name__} ({error})", OTHER)) from error


def is_missing(value: object) -> bool:
    """Tell whether a value, which need not be a number, is missing: None, NaN, NA, NaT, or masked."""
    value = _inner(value)
    return value is None or (isinstance(value, Real | Decimal | date | np.datetime64) and bool(value != value))  # noqa: PLR0124


def sentence(flaws: Sequence[Flaw], places: Sequence[str]) -> str:
    """Say what is wrong where, and each remedy once."""
    found = "; ".join(f"{place} {flaw.what}" for place, flaw in zip(places, flaws, strict=True))
    return " ".join([f"{found}.", *dict.fromkeys(flaw.remedy for flaw in flaws)])


def _inner(value: object) -> object:
    """Take a value out of an array or a tensor without axes; None if it is missing."""
    if value is None or value is getattr(sys.modules.get("pandas"), "NA", None):
        return None
    if isinstance(value, np.ma.MaskedArray) and value.ndim == 0 and value.mask:
        return None
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return _inner(value[()])
    if not isinstance(value, np.generic) and getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        with suppress(RuntimeError, TypeError, ValueError):
            return value.item()
    return value


def _flaw_of(value: object) -> Flaw | None:
    """Recognise values that are no numbers; about other types `float` decides."""
    if isinstance(value, np.generic) and value.dtype.kind not in "fiuO":
        remedy: str | None = REMEDY_BY_DTYPE_KIND.get(value.dtype.kind, OTHER)
    else:
        remedy = next((remedy for types, remedy in REMEDY_BY_TYPE if isinstance(value, types)), None)
    return None if remedy is None else Flaw((), f"is {_shown(value)}", remedy)


def _shown(value: object) -> str:
    if isinstance(value, str | bytes | bytearray):
        return f"the text {value[:40]!r}"
    return str(value)[:40]


def _of_values(array: NDArray[np.object_], hidden: NDArray[np.bool_]) -> F64:
    numbers, flaws = np.empty(array.shape), list[Flaw]()
    for place, value in np.ndenumerate(array):
        try:
            numbers[place] = np.nan if hidden[place] else number_of(value)
        except Flawed as error:
            flaws += (flaw._replace(place=place) for flaw in error.flaws)
            if len(flaws) == MAX_REPORTED_NUMBERS:
                break
    if flaws:
        raise Flawed(*flaws)
    return numbers


def _not_finite(place: tuple[int, ...], number: float) -> Flaw:
    return Flaw(place, "is missing", MISSING) if np.isnan(number) else Flaw(place, INFINITE, FINITE)
