"""What the text of a cell means: a number, yes or no, a time, or missing."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import nan
from typing import Literal, NamedTuple

MISSING: frozenset[str] = frozenset(
    {
        "", "-", "--", "—", "–", ".", "..", ":", "?", "*",
        "NA", "na", "N/A", "n/a", "N/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "n.a.", "N.A.", "k.A.",
        "NaN", "nan", "NAN", "-NaN", "-nan", "NULL", "Null", "null", "None", "none", "NONE", "nil", "NIL",
        "NaT", "\\N", "(null)", "(NULL)", "[NULL]", "<null>", "k. A.", "n. a.",
        "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!",
        "#NV", "#WERT!", "#BEZUG!", "#ZAHL!", "#VALEUR!", "#NOM?", "#NOMBRE!", "#NUL!", "#N/D", "#VALOR!", "#VALORE!",
        "#RIF!", "#NOME?", "#¡DIV/0!", "#¡NULO!", "#¡NUM!", "#¡REF!", "#¡VALOR!", "#¿NOMBRE?",
    }
)  # fmt: skip
"""Texts that mean that a cell is missing, in any column; the errors of spreadsheets in some languages among them."""

YES: frozenset[str] = frozenset(
    {"yes", "y", "true", "t", "on", "ja", "oui", "sí", "si", "sì", "wahr", "vrai", "verdadero", "vero", "verdadeiro"}
)
NO: frozenset[str] = frozenset({"no", "n", "false", "f", "off", "nein", "non", "falsch", "faux", "falso"})
"""In lower case."""

Decimal = Literal[".", ","]

LENGTH_LIMIT = 330
"""Characters from which on a text is neither a number nor a time; patterns are not tried on longer ones."""
SAME = str.maketrans(
    {"−": "-", "–": "-", "‑": "-", "－": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "~": "", "≈": ""}
)
"""Signs that mean the same as those of ASCII, or nothing."""
BEFORE = r"(?P<before>[$€£¥₹]|[A-Z]{1,3}\$|(?:[A-Z]{3}|Fr\.|Rs\.?)(?=\s))?"
WORD = r"[^\W\d_]{1,6}"
AFTER = rf"(?P<after>[%‰°$€£¥₹\"″'′][A-Z]?|{WORD}\.?(?:\s{WORD}\.?)?|[^\W\d_]{{1,3}}(?:[²³]|/[^\W\d_]{{1,3}}[²³]?))?"
FOOTNOTE = r"(?:\s?(?:\*{1,3}|[†‡]|\[\w{1,3}\]))?"
NUMBERS: dict[str, re.Pattern[str]] = {
    decimal: re.compile(
        rf"(?P<sign>[+-]?)\s?{BEFORE}\s?(?P<inner>[+-]?)(?P<opened>\()?"
        rf"(?P<number>(?:[1-9]\d{{0,2}}(?P<group>[{groups}])\d{{3}}(?:(?P=group)\d{{3}})*|{lakhs}\d+)?"
        rf"(?:\{decimal}(?:--?|\d*))?(?:[eE][+-]?\d+)?)(?P<last>-?)(?P<closed>\))?\s?{AFTER}{FOOTNOTE}"
    )
    for decimal, groups, lakhs in ((".", ",' ", r"[1-9]\d?(?:,\d{2})+,\d{3}|"), (",", ".' ", ""))
}
"""A number with one kind of separator between thousands, and a unit of a few letters before or after it.

The minus may stand after it, as SAP writes it, and an amount may end in `.-` or `,--`.
"""
WITHOUT_GROUPS = {".": str.maketrans("", "", ",' "), ",": str.maketrans(",", ".", ".' ")}
PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
NOTHING = re.compile(r"[$€£¥₹]\s?-{1,2}|-{1,2}\s?[$€£¥₹]")
"""An amount that is left out, as accountants write it."""
CODE = re.compile(r"0\d+|\d+E\d+", re.ASCII)
"""Digits that are no number, as 0 stands before them, or as programs write no number so: 007, 1E10."""
ADDRESS = re.compile(r"(?:(?:1?\d?\d|2[0-4]\d|25[0-5])(?:\.|$)){4}", re.ASCII)
"""Of a computer: no thousands are separated so."""


class Number(NamedTuple):
    """A number in a text."""

    value: float
    unit: str = ""
    """Letters or a sign before or after it."""


def clean(text: str) -> str:
    """Remove white space around a text."""
    return text.strip()


def number_of(text: str, decimal: Decimal = ".") -> Number | None:
    """Read a number: signs, separators of thousands, a percent or currency sign or a unit; None if it is none.

    Args:
        text: Without white space around it.
        decimal: The decimal sign; the other one separates thousands.

    Returns:
        The number, which is infinite if it is too large for float64; None for codes such as 007.
        NaN if only a currency is there, such as `$ -`.
    """
    return None if len(text) > LENGTH_LIMIT else _short_number(text, decimal)


@lru_cache(maxsize=2**16)
def _short_number(text: str, decimal: Decimal) -> Number | None:
    if CODE.fullmatch(text):
        return None
    if decimal == "." and PLAIN.fullmatch(text):
        return Number(float(text))
    text = text.translate(SAME)
    if NOTHING.fullmatch(text):
        return Number(nan, text.strip("- "))
    outer = text.startswith("(") and text.endswith(")")  # negative, as accountants write it
    found = NUMBERS[decimal].fullmatch(text[1:-1].strip() if outer else text)
    return None if not found or ADDRESS.fullmatch(text) else _number(found, decimal, negative=outer)


def _number(found: re.Match[str], decimal: Decimal, *, negative: bool) -> Number | None:
    """Make a number of the parts of a text; None if they are no number."""
    text, brackets = found["number"].rstrip("-"), (found["opened"] or "") + (found["closed"] or "")
    minus = [*filter(None, (found["sign"], found["inner"], found["last"], brackets))]
    if len(minus) > 1 or brackets not in {"", "()"} or (found["before"] and found["after"]) or CODE.fullmatch(text):
        return None
    if not text.isascii() or not any(map(str.isdecimal, text)):
        return None
    try:
        value = float(text.translate(WITHOUT_GROUPS[decimal]))
    except ValueError:
        return None
    negative = negative or minus in (["-"], ["()"])
    return Number(-value if negative else value, found["before"] or found["after"] or "")


def decimal_sign(text: str) -> Decimal | None:
    """Return the decimal sign of a number, if it can only be one."""
    point, comma = number_of(text), number_of(text, ",")
    return None if (point is None) == (comma is None) else "," if point is None else "."


def yes_or_no(text: str) -> float | None:
    """Read yes (1) or no (0) in some languages; None if it is neither."""
    lower = text.lower()
    return 1.0 if lower in YES else 0.0 if lower in NO else None


NAME = r"(?P<name>[A-Za-zäéûô]{3,10})\.?"
DAY = r"(?P<day>\d{1,2})"
MONTH = r"(?P<month>\d{1,2})"
YEAR = r"(?P<year>\d{4}|\d{2})"
BETWEEN = "(?: de | |[-/])?"
DATE_FORMATS: dict[str, str] = {
    "year-month-day": rf"(?P<year>\d{{4}})(?P<by>[-/.年])\s?{MONTH}(?:(?P=by)|月)\s?{DAY}[.日]?",
    "day-month-year": rf"{DAY}(?P<by>[-/.])\s?{MONTH}(?P=by)\s?{YEAR}",
    "month-day-year": rf"{MONTH}(?P<by>[-/.]){DAY}(?P=by){YEAR}",
    "day-name-year": rf"(?:[A-Za-z]{{2,9}}\.?,?\s+)?{DAY}(?:st|nd|rd|th|er|\.)?{BETWEEN}{NAME},?{BETWEEN}{YEAR}",
    "name-day-year": rf"{NAME}[ -]{DAY}(?:st|nd|rd|th)?(?:,? |-)(?P<year>\d{{4}})",
    "year-month": rf"(?P<year>\d{{4}})[-/M]{MONTH}",
    "month-year": rf"{MONTH}[-/](?P<year>\d{{4}})",
    "name-year": rf"{NAME}(?:[ -](?=\d{{4}})|-){YEAR}",
    "year-name": rf"(?P<year>\d{{4}})[ -]?{NAME}",
    "year-quarter": r"(?P<year>\d{4})[ :-]?[Qq](?P<quarter>[1-4])",
    "quarter-year": r"[Qq](?P<quarter>[1-4])[ -/](?P<year>\d{4})",
    "year-week": r"(?P<year>\d{4})-?W(?P<week>\d{2})(?:-?(?P<weekday>[1-7]))?",
    "digits": r"(?P<year>1[89]\d{2}|2[01]\d{2})(?P<month>\d{2})(?P<day>\d{2})",
    "time": r"(?:(?P<days>-?\d{1,6}) days?,? \+?)?",
    "name-day-clock-year": "",
}
"""The part of a text that is a date, by format; the first that reads all of a column is taken. `time` has no date, but
may have more than 24 hours; `name-day-clock-year` is around a time, as C and Twitter write it."""
CLOCK = (
    r"(?=\d+COLON|\d+\s?[AaPp])(?P<hour>\d{1,DIGITS})(?:(?P<colon>COLON)(?P<minute>\d{2})"
    r"(?:(?P=colon)(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?)?(?:\s?(?P<half>[AaPp]\.?[Mm]\.?))?"
)
ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "BST": 60, "WEST": 60, "CET": 60, "MEZ": 60, "CEST": 120, "MESZ": 120,
    "EET": 120, "EEST": 180, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360,
    "PST": -480, "PDT": -420,
}  # fmt: skip
"""Minutes by which they are ahead of UTC."""
ZONE = rf"(?:\s?(?P<zone>{'|'.join(ZONES)}|[+-]\d{{2}}(?::?\d{{2}})?)(?:\[[\w/+-]+\])?)?"
OF_DAY = CLOCK.replace("COLON", "[:.h]").replace("DIGITS", "2")
DURATION = CLOCK.replace("COLON", ":").replace("DIGITS", "4")
PACKED = r"(?P<hour>\d{2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2}))?"
DATES: dict[str, re.Pattern[str]] = {
    name: re.compile(f"{date}(?:(?:T|,?\\s+|:){OF_DAY}{ZONE})?", re.ASCII) for name, date in DATE_FORMATS.items()
} | {
    "digits": re.compile(f"{DATE_FORMATS['digits']}(?:[T ]{PACKED}{ZONE})?", re.ASCII),
    "time": re.compile(f"{DATE_FORMATS['time']}{DURATION}{ZONE}", re.ASCII),
    "name-day-clock-year": re.compile(rf"[A-Za-z]{{3}} {NAME} +{DAY} {OF_DAY}{ZONE} (?P<year>\d{{4}})", re.ASCII),
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
    return len(text) <= LENGTH_LIMIT and any(map(str.isdigit, text)) and (not text.isdigit() or len(text) == 8)


def microseconds(text: str, date_format: str) -> int | None:
    """Read a time as microseconds since 1970 in UTC; a time without a zone is taken for UTC.

    Args:
        text: Without white space around it.
        date_format: A key of `DATE_FORMATS`.

    Returns:
        None if it is no time by this format.
    """
    return None if len(text) > LENGTH_LIMIT else _short_time(text, date_format)


@lru_cache(maxsize=2**16)
def _short_time(text: str, date_format: str) -> int | None:
    found = DATES[date_format].fullmatch(text)
    if not found:
        return None
    part = {name: text for name, text in found.groupdict().items() if text}
    try:
        when = datetime.combine(_date(part), time(), UTC) - EPOCH + _clock(part, duration=date_format == "time")
    except ValueError:
        return None
    return (when - timedelta(minutes=_minutes_ahead(part.get("zone", "Z")))) // timedelta(microseconds=1)


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


def _clock(part: dict[str, str], *, duration: bool) -> timedelta:
    """Make the time since midnight of the parts of a text; 24:00 and leap seconds belong to the next day.

    Raises:
        ValueError: There is no such time.
    """
    hour, minute, second = (int(part.get(name, "0")) for name in ("hour", "minute", "second"))
    if "half" in part:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + 12 * (part["half"][0] in "pP")
    if minute > 59 or second > 60 or (not duration and 60 * hour + minute > 24 * 60):
        raise ValueError
    fraction = part.get("fraction", "0")[:6].ljust(6, "0")
    return timedelta(int(part.get("days", "0")), second, int(fraction), minutes=minute, hours=hour)


def _month(name: str) -> int:
    return MONTHS.get(name[:4].lower()) or MONTHS.get(name[:3].lower()) or 0


def _minutes_ahead(zone: str) -> int:
    """Minutes by which a zone is ahead of UTC."""
    if zone in ZONES:
        return ZONES[zone]
    minutes = int(zone[1:3]) * 60 + int(zone[3:].lstrip(":") or 0)
    return minutes if zone[0] == "+" else -minutes
