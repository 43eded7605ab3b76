"""The definition of a number: one rule for the client, the estimators, files, JSON and binary bodies.

- A number is an integer, a floating-point number of any width, a Decimal or a Fraction. It is converted to the nearest
  float64, which rounds integers beyond 2**53 and decimal fractions.
- It is finite in float64.
- Booleans, texts (also "1"), complex numbers, times and durations are not numbers, in any array or frame. A category is
  treated as its label. CSV files and the tables of the page (`web/table/columns.js`) contain text only: there a cell is
  a number if it is written in decimal with ASCII digits.
- None, null, NA, NaN and masked values are missing. A cell of x or of a query may be missing if the model supports
  missing cells; y and weights are never missing.
- A refusal names the cell or the column, its value, and the remedy.

`numbers` applies the rule to JSON, `inference.tensors` to binary bodies, `files` to files, `client.arrays` and
`client.frames` to Python objects.
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
"""Invalid numbers in one message; the first ones of many suffice."""

BOOLEAN_REMEDY = "Send 1 and 0 instead; in Python astype(float) makes them."
TEXT_REMEDY = "Convert text that is a number; encode a category as one column of 1 and 0 for each of its values."
TIME_REMEDY = "Send a number, such as the days since a fixed date."
DURATION_REMEDY = "Send a number, such as seconds."
COMPLEX_REMEDY = "Complex data not supported: send the real and the imaginary part as two columns."
OTHER_TYPE_REMEDY = "Send integers or floating-point numbers."
INFINITE_REMEDY = "Send a finite number."
MISSING_REMEDY = "Fill it in, or leave the row out."

REMEDY_BY_DTYPE_KIND = {
    "b": BOOLEAN_REMEDY,
    "U": TEXT_REMEDY,
    "S": TEXT_REMEDY,
    "T": TEXT_REMEDY,
    "M": TIME_REMEDY,
    "m": DURATION_REMEDY,
    "c": COMPLEX_REMEDY,
}
"""By numpy's kind of dtype."""
REMEDY_BY_TYPE: tuple[tuple[type | tuple[type, ...], str | None], ...] = (
    (bool, BOOLEAN_REMEDY),
    ((Real, Decimal), None),
    ((str, bytes, bytearray), TEXT_REMEDY),
    (Complex, COMPLEX_REMEDY),
    ((date, time), TIME_REMEDY),
    (timedelta, DURATION_REMEDY),
)
"""None for numbers. The first match applies: in Python a boolean is Real, and a real number is Complex."""
INFINITE_FLAW = "is infinite, or too large for float64"


class Flaw(NamedTuple):
    """A value that is not a valid number."""

    place: tuple[int, ...]
    """Its indices in the array; empty for the whole array."""
    what: str
    """Its description, such as `is of type bool`."""
    remedy: str


class Flawed(Exception):
    """Values are not valid numbers; has the first of them."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__()
        self.flaws = flaws


def float64(array: NDArray[Any], *, missing: bool = False) -> F64:
    """Convert an array of any shape and dtype to float64, with NaN for missing cells.

    Args:
        array: May be masked.
        missing: Whether a cell may be missing.

    Raises:
        Flawed: A value is not a valid number.
    """
    kind, hidden = array.dtype.kind, None
    if kind not in "fiuO":
        raise Flawed(Flaw((), f"is of type {array.dtype}", REMEDY_BY_DTYPE_KIND.get(kind, OTHER_TYPE_REMEDY)))
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
    """Check that numbers are finite, or NaN where they may be missing.

    Raises:
        Flawed: A number is infinite, or missing where it may not be.
    """
    finite = np.isfinite(numbers)
    if finite.all():
        return
    bad = np.argwhere(np.isinf(numbers) if missing else ~finite)[:MAX_REPORTED_NUMBERS].tolist()
    if bad:
        raise Flawed(*(_not_finite(tuple(place), numbers[tuple(place)]) for place in bad))


def number_of(value: object) -> float:
    """Convert one value to float64: NaN if it is missing, infinite if it is too large.

    Raises:
        Flawed: It is not a number.
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
        raise Flawed(Flaw((), f"is of type {type(value).__name__} ({error})", OTHER_TYPE_REMEDY)) from error


def is_missing(value: object) -> bool:
    """Return whether a value of any type is missing: None, NaN, NA, NaT, or masked."""
    value = _inner(value)
    return value is None or (isinstance(value, Real | Decimal | date | np.datetime64) and bool(value != value))  # noqa: PLR0124


def sentence(flaws: Sequence[Flaw], places: Sequence[str]) -> str:
    """Describe flaws with their places, and each remedy once."""
    found = "; ".join(f"{place} {flaw.what}" for place, flaw in zip(places, flaws, strict=True))
    return " ".join([f"{found}.", *dict.fromkeys(flaw.remedy for flaw in flaws)])


def _inner(value: object) -> object:
    """Unwrap a value from an array or a tensor without axes; None if it is missing."""
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
    """Return the flaw of values of known types that are not numbers; None for others, which `float` converts or not."""
    if isinstance(value, np.generic) and value.dtype.kind not in "fiuO":
        remedy: str | None = REMEDY_BY_DTYPE_KIND.get(value.dtype.kind, OTHER_TYPE_REMEDY)
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
    return (
        Flaw(place, "is missing", MISSING_REMEDY) if np.isnan(number) else Flaw(place, INFINITE_FLAW, INFINITE_REMEDY)
    )
