"""What the text of a cell means: a number, yes or no, a time, or missing."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

MISSING: frozenset[str] = frozenset(
    {
        "", "-", "--", "—", "–", ".", "..", "?", "*",
        "NA", "na", "N/A", "n/a", "N/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "n.a.", "N.A.", "k.A.",
        "NaN", "nan", "NAN", "-NaN", "-nan", "NULL", "Null", "null", "None", "none", "NONE", "nil", "NIL",
        "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!",
    }
)  # fmt: skip
"""Texts that mean that a cell is missing, in any column; the errors of spreadsheets among them."""

YES: frozenset[str] = frozenset({"yes", "y", "true", "t", "on", "ja", "oui", "sí", "si", "sì"})
NO: frozenset[str] = frozenset({"no", "n", "false", "f", "off", "nein", "non"})
"""In lower case."""

Decimal = Literal[".", ","]

MINUS = str.maketrans({"−": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'"})
"""Signs that mean the same as those of ASCII."""
BEFORE = r"(?P<before>[$€£¥₹]|[A-Z]{1,3}\$|(?:[A-Z]{3}|Fr\.|Rs\.?)(?=\s))?"
AFTER = r"(?P<after>[%‰°$€£¥₹][A-Z]?|[^\W\d_]{1,6}\.?|[^\W\d_]{1,3}(?:[²³]|/[^\W\d_]{1,3}[²³]?))?"
NUMBERS: dict[str, re.Pattern[str]] = {
    decimal: re.compile(
        rf"(?P<sign>[+-]?)\s?{BEFORE}\s?(?P<inner>[+-]?)"
        rf"(?P<number>(?:\d{{1,3}}(?P<group>[{groups}])\d{{3}}(?:(?P=group)\d{{3}})*|\d+)?"
        rf"(?:\{decimal}\d*)?(?:[eE][+-]?\d+)?)\s?{AFTER}"
    )
    for decimal, groups in ((".", ",' "), (",", ".' "))
}
"""A number with one kind of separator between thousands, and a unit of a few letters before or after it."""
PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
CODE = re.compile(r"0\d+", re.ASCII)
"""Digits that are no number, as 0 stands before them."""
DIGITS_AND_SIGNS = re.compile(r"[\d.,]+", re.ASCII)


class Number(NamedTuple):
    """A number in a text."""

    value: float
    unit: str = ""
    """Letters or a sign before or after it."""


def clean(text: str) -> str:
    """Remove white space around a text."""
    return text.strip()


@lru_cache(maxsize=2**16)
def number_of(text: str, decimal: Decimal = ".") -> Number | None:
    """Read a number: signs, separators of thousands, a percent or currency sign or a unit; None if it is none.

    Args:
        text: Without white space around it.
        decimal: The decimal sign; the other one separates thousands.

    Returns:
        The number, which is infinite if it is too large for float64; None for digits after a 0, such as 007.
    """
    if decimal == "." and PLAIN.fullmatch(text):
        return None if CODE.fullmatch(text) else Number(float(text))
    text = text.translate(MINUS)
    negative = text.startswith("(") and text.endswith(")")  # as accountants write it
    found = NUMBERS[decimal].fullmatch(text[1:-1].strip() if negative else text)
    if not found or (found["before"] and found["after"]) or CODE.fullmatch(found["number"]):
        return None
    if (
        not any(map(str.isdecimal, found["number"]))
        or not found["number"].isascii()
        or (found["sign"] and found["inner"])
    ):
        return None
    digits = found["number"].replace(found["group"], "") if found["group"] else found["number"]
    try:
        value = float(digits.replace(decimal, "."))
    except ValueError:
        return None
    minus = negative or "-" in {found["sign"], found["inner"]}
    return Number(-value if minus else value, found["before"] or found["after"] or "")


def decimal_sign(text: str) -> Decimal | None:
    """Return the decimal sign of a number, if it can only be one."""
    found = DIGITS_AND_SIGNS.search(text)
    points, commas = (found[0].count(sign) if found else 0 for sign in ".,")
    if found is None or not points + commas:
        return None
    sign: Decimal = "." if found[0].rfind(".") > found[0].rfind(",") else ","
    other: Decimal = "," if sign == "." else "."
    before, _, after = found[0].rpartition(sign)
    if points + commas > 1 and not (points and commas):
        sign = other  # one sign several times separates thousands
    elif not (points and commas) and len(after) == 3 and before not in {"", "0"}:
        return None
    return sign if number_of(text, sign) else None


def yes_or_no(text: str) -> float | None:
    """Read yes (1) or no (0) in some languages; None if it is neither."""
    lower = text.lower()
    return 1.0 if lower in YES else 0.0 if lower in NO else None


NAME = r"(?P<name>[A-Za-zäéûô]{3,9})\.?"
DAY = r"(?P<day>\d{1,2})"
MONTH = r"(?P<month>\d{1,2})"
YEAR = r"(?P<year>\d{4}|\d{2})"
DATE_FORMATS: dict[str, str] = {
    "year-month-day": rf"(?P<year>\d{{4}})(?P<by>[-/.]){MONTH}(?P=by){DAY}",
    "day-month-year": rf"{DAY}(?P<by>[-/.]){MONTH}(?P=by){YEAR}",
    "month-day-year": rf"{MONTH}(?P<by>[-/.]){DAY}(?P=by){YEAR}",
    "day-name-year": rf"(?:[A-Za-z]{{2,9}}\.?,?\s+)?{DAY}(?:st|nd|rd|th|\.)?[ -]{NAME},?[ -]{YEAR}",
    "name-day-year": rf"{NAME}[ -]{DAY}(?:st|nd|rd|th)?(?:,? |-)(?P<year>\d{{4}})",
    "year-month": rf"(?P<year>\d{{4}})[-/]{MONTH}",
    "name-year": rf"{NAME}[ -](?P<year>\d{{4}})",
    "year-name": rf"(?P<year>\d{{4}})[ -]?{NAME}",
    "year-quarter": r"(?P<year>\d{4})[ :-]?[Qq](?P<quarter>[1-4])",
    "quarter-year": r"[Qq](?P<quarter>[1-4])[ -/](?P<year>\d{4})",
    "year-week": r"(?P<year>\d{4})-?W(?P<week>\d{2})(?:-?(?P<weekday>[1-7]))?",
    "digits": r"(?P<year>1[89]\d{2}|2[01]\d{2})(?P<month>\d{2})(?P<day>\d{2})",
    "time": r"",
}
"""The part of a text that is a date, by format; the first that reads all of a column is taken. `time` has no date."""
CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s?(?P<half>[AaPp]\.?[Mm]\.?))?"
)
ZONE = r"(?:\s?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
DATES: dict[str, re.Pattern[str]] = {
    name: re.compile(f"{date}(?:(?:T|,?\\s+){CLOCK}{ZONE})?" if date else f"{CLOCK}{ZONE}", re.ASCII)
    for name, date in DATE_FORMATS.items()
}
MONTHS = {
    start: month
    for month, starts in enumerate(
        ("jan gen ene", "feb fev fév", "mar mär mrz", "apr abr avr", "may mai mag", "jun giu juin", "jul lug juil",
         "aug ago aoû", "sep set", "oct okt ott out", "nov", "dec dez dic déc"),
        1,
    )
    for start in starts.split()
}  # fmt: skip
"""By the first letters of their names in some languages."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CENTURY = 70
"""Years of two digits from here on are in the 20th century."""


def date_formats(text: str) -> frozenset[str]:
    """Return the formats by which a text is a time."""
    return (
        frozenset(name for name in DATE_FORMATS if microseconds(text, name) is not None)
        if _like_time(text)
        else frozenset()
    )


def _like_time(text: str) -> bool:
    return len(text) <= 40 and any(map(str.isdigit, text)) and (not text.isdigit() or len(text) == 8)


@lru_cache(maxsize=2**16)
def microseconds(text: str, date_format: str) -> int | None:
    """Read a time as microseconds since 1970 in UTC; a time without a zone is taken for UTC.

    Args:
        text: Without white space around it.
        date_format: A key of `DATE_FORMATS`.

    Returns:
        None if it is no time by this format.
    """
    found = DATES[date_format].fullmatch(text)
    if not found:
        return None
    part = {name: text for name, text in found.groupdict().items() if text}
    try:
        when = datetime.combine(_date(part), _clock(part), UTC)
    except ValueError:
        return None
    return (when - EPOCH) // timedelta(microseconds=1) - _offset(part.get("zone", ""))


def _date(part: dict[str, str]) -> date:
    """Make a date of the parts of a text; without any, the first of 1970.

    Raises:
        ValueError: There is no such date.
    """
    year = int(part.get("year", "1970"))
    if len(part.get("year", "1970")) == 2:
        year += 1900 if year >= CENTURY else 2000
    if "week" in part:
        return date.fromisocalendar(year, int(part["week"]), int(part.get("weekday", "1")))
    if "quarter" in part:
        return date(year, 3 * int(part["quarter"]) - 2, 1)
    month = _month(part["name"]) if "name" in part else int(part.get("month", "1"))
    return date(year, month, int(part.get("day", "1")))


def _clock(part: dict[str, str]) -> time:
    """Make a time of day of the parts of a text; without any, midnight.

    Raises:
        ValueError: There is no such time.
    """
    hour = int(part.get("hour", "0"))
    if "half" in part:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + 12 * (part["half"][0] in "pP")
    fraction = part.get("fraction", "0")[:6].ljust(6, "0")
    return time(hour, int(part.get("minute", "0")), int(part.get("second", "0")), int(fraction))


def _month(name: str) -> int:
    return MONTHS.get(name[:4].lower()) or MONTHS.get(name[:3].lower()) or 0


def _offset(zone: str) -> int:
    """Microseconds by which a zone is ahead of UTC."""
    if zone[:1] not in {"+", "-"}:
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return (minutes if zone[0] == "+" else -minutes) * 60 * 10**6
