"""What the text of a cell means."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tables.text import EPOCH, date_formats, decimal_sign, microseconds, number_of, yes_or_no


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0), ("-3.5", -3.5), ("+.5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("1,234", 1234.0), ("1,234.5", 1234.5),

        ("1'234.5", 1234.5), ("1 234", 1234.0), ("1\u202f234", 1234.0), ("12 %", 12.0), ("$1,200.50", 1200.5),
        ("€ 5", 5.0),

        ("CHF 20", 20.0), ("12 kg", 12.0), ("12kg", 12.0), ("20°C", 20.0), ("10 m²", 10.0), ("5 km/h", 5.0),
        ("(1,234)", -1234.0),
        ("−4", -4.0), ("12.50-", -12.5), ("$(1,234.50)", -1234.5), ("($3.00)", -3.0), ("CHF 1'234.-", 1234.0),
        ("1,23,456.5", 123456.5), ("~5", 5.0), ("5.5*", 5.5), ("1,234[1]", 1234.0), ("1,200 sq ft", 1200.0),
        ('6.5"', 6.5), ("–5.5", -5.5), ("-$5", -5.0), ("$-5", -5.0), ("0.5", 0.5), ("0", 0.0),
    ],
)  # fmt: skip
def test_number_with_decimal_point(text: str, value: float) -> None:
    found = number_of(text)
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,5", 1.5),
        ("1.234,56", 1234.56),
        ("1.234", 1234.0),
        ("-0,5", -0.5),
        ("5,00 €", 5.0),
        ("7", 7.0),
        ("1.234,00-", -1234.0),
        ("12,--", 12.0),
        ("1,5E+03", 1500.0),
        ("1.234,50 EUR", 1234.5),
        ("12,5 %", 12.5),
    ],
)
def test_number_with_decimal_comma(text: str, value: float) -> None:
    found = number_of(text, ",")
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    "text",
    ["abc", "007", "1_000", "0x10", "inf", "nan", "1,2", "12,34,56", "1 2",
     "A1", "Q1", "m2", "1-2", "1E10", "192.168.100.200", "(5", "-5-", "-(5)",  "1" * 331,
     "+-1", "--1", "", "1.2.3", "\uff11\uff12", "$", "%", "e5", "2020-01-02"],
)  # fmt: skip
def test_no_number(text: str) -> None:
    assert number_of(text) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_that_python_writes_is_read(value: float) -> None:
    found = number_of(repr(value))
    assert found is not None
    assert found.value == value


@given(st.floats(-1e12, 1e12))
def test_thousands_are_separated_in_both_ways(value: float) -> None:
    english = f"{value:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    found = [number_of(english, "."), number_of(german, ",")]
    assert [number and number.value for number in found] == [float(f"{value:.2f}")] * 2


@pytest.mark.parametrize(
    ("text", "sign"),
    [("1.5", "."), ("0.123", "."), ("1,234.5", "."), ("1,5", ","), ("1.234,5", ","), ("1.250.000,00 €", ","),
     ("1.250.000", ","), ("$1,234.50", "."), ("1,5 %", ","), ("abc", None), ("1.2.3", None), ("A1,5", None),
     ("1,234", None), ("1.234", None), ("12", None), ("5.5 kg", ".")]
)  # fmt: skip
def test_decimal_sign(text: str, sign: str | None) -> None:
    assert decimal_sign(text) == sign


@pytest.mark.parametrize(
    ("text", "date_format", "when"),
    [
        ("2020-01-02", "year-month-day", datetime(2020, 1, 2, tzinfo=UTC)),
        ("2020/1/2 10:11", "year-month-day", datetime(2020, 1, 2, 10, 11, tzinfo=UTC)),
        ("2020-01-02T10:11:12.5Z", "year-month-day", datetime(2020, 1, 2, 10, 11, 12, 500_000, tzinfo=UTC)),
        ("2020-01-02T10:11:12+02:00", "year-month-day", datetime(2020, 1, 2, 8, 11, 12, tzinfo=UTC)),
        ("31.12.2019", "day-month-year", datetime(2019, 12, 31, tzinfo=UTC)),
        ("1/13/20", "month-day-year", datetime(2020, 1, 13, tzinfo=UTC)),
        ("13/01/85", "day-month-year", datetime(1985, 1, 13, tzinfo=UTC)),
        ("12 Jan 2020", "day-name-year", datetime(2020, 1, 12, tzinfo=UTC)),
        ("12-Mar-20", "day-name-year", datetime(2020, 3, 12, tzinfo=UTC)),
        ("Monday, 12 January 2020", "day-name-year", datetime(2020, 1, 12, tzinfo=UTC)),
        ("3. Mai 2020", "day-name-year", datetime(2020, 5, 3, tzinfo=UTC)),
        ("Jan 12, 2020", "name-day-year", datetime(2020, 1, 12, tzinfo=UTC)),
        ("2020-05", "year-month", datetime(2020, 5, 1, tzinfo=UTC)),
        ("Mar 2020", "name-year", datetime(2020, 3, 1, tzinfo=UTC)),
        ("2020Q3", "year-quarter", datetime(2020, 7, 1, tzinfo=UTC)),
        ("2020q3", "year-quarter", datetime(2020, 7, 1, tzinfo=UTC)),
        ("Q3 2020", "quarter-year", datetime(2020, 7, 1, tzinfo=UTC)),
        ("1977-Jan", "year-name", datetime(1977, 1, 1, tzinfo=UTC)),
        ("Jan-1-1995", "name-day-year", datetime(1995, 1, 1, tzinfo=UTC)),
        ("2020-W02", "year-week", datetime(2020, 1, 6, tzinfo=UTC)),
        ("20200131", "digits", datetime(2020, 1, 31, tzinfo=UTC)),
        ("9:05 pm", "time", datetime(1970, 1, 1, 21, 5, tzinfo=UTC)),
        ("2020-01-02 10:11:12+02", "year-month-day", datetime(2020, 1, 2, 8, 11, 12, tzinfo=UTC)),
        ("2020-01-02T10:11+02:00[Europe/Zurich]", "year-month-day", datetime(2020, 1, 2, 8, 11, tzinfo=UTC)),
        ("2020-01-02 10:11 CET", "year-month-day", datetime(2020, 1, 2, 9, 11, tzinfo=UTC)),
        ("2020-01-02 24:00", "year-month-day", datetime(2020, 1, 3, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", "year-month-day", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2020年1月2日", "year-month-day", datetime(2020, 1, 2, tzinfo=UTC)),
        ("2. 1. 2020", "day-month-year", datetime(2020, 1, 2, tzinfo=UTC)),
        ("02JAN2020:10:11:12", "day-name-year", datetime(2020, 1, 2, 10, 11, 12, tzinfo=UTC)),
        ("02/Mar/2020:10:00:00 +0000", "day-name-year", datetime(2020, 3, 2, 10, tzinfo=UTC)),
        ("02-JAN-20 10.11.12.000000 PM", "day-name-year", datetime(2020, 1, 2, 22, 11, 12, tzinfo=UTC)),
        ("1er mai 2020", "day-name-year", datetime(2020, 5, 1, tzinfo=UTC)),
        ("15 de marzo de 2021", "day-name-year", datetime(2021, 3, 15, tzinfo=UTC)),
        ("Mon Mar  2 10:00:00 2020", "name-day-clock-year", datetime(2020, 3, 2, 10, tzinfo=UTC)),
        ("Mon Mar 02 10:00:00 +0000 2020", "name-day-clock-year", datetime(2020, 3, 2, 10, tzinfo=UTC)),
        ("Jan-20", "name-year", datetime(2020, 1, 1, tzinfo=UTC)),
        ("02/2020", "month-year", datetime(2020, 2, 1, tzinfo=UTC)),
        ("2020M02", "year-month", datetime(2020, 2, 1, tzinfo=UTC)),
        ("20200131T101112", "digits", datetime(2020, 1, 31, 10, 11, 12, tzinfo=UTC)),
        ("25:00", "time", datetime(1970, 1, 2, 1, tzinfo=UTC)),
        ("1 days 01:30:00", "time", datetime(1970, 1, 2, 1, 30, tzinfo=UTC)),
        ("3 PM", "time", datetime(1970, 1, 1, 15, tzinfo=UTC)),
        ("12:30 AM", "time", datetime(1970, 1, 1, 0, 30, tzinfo=UTC)),
    ],
)
def test_time(text: str, date_format: str, when: datetime) -> None:
    assert date_format in date_formats(text)
    assert microseconds(text, date_format) == round((when - EPOCH).total_seconds() * 10**6)


@pytest.mark.parametrize(
    "text",
    [
        "2020",
        "1.5",
        "1-2-3",
        "2020-13-01",
        "20201301",
        "12345678",
        "2020-02-30",
        "2020-02-28 25:00",
        "13:10 pm",
        "12 Foo 2020",
        "x",
        "",
    ],
)
def test_no_time(text: str) -> None:
    assert not date_formats(text)


def test_yes_and_no() -> None:
    assert [yes_or_no(text) for text in ("Yes", "TRUE", "n", "nein", "WAHR", "FAUX", "maybe")] == [
        1.0,
        1.0,
        0.0,
        0.0,
        1.0,
        0.0,
        None,
    ]
