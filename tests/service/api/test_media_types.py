"""The header Accept chooses the content type of a response by its weights."""

import pytest

from service.api.media_types import accepted_type

CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
KINDS = (CSV, PARQUET)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (CSV, CSV),
        ("TEXT/CSV", CSV),
        ("text/csv; header=present", CSV),
        (f"{PARQUET}, {CSV}", PARQUET),
        (f"{PARQUET};q=0.5, {CSV}", CSV),
        (f"{CSV}, */*;q=0.1", CSV),
        (f"application/json, {CSV}", CSV),
        ("application/json;q=0.9, text/csv; Q = 1.000", CSV),
        (f"application/json, {CSV};q=0.1", None),
        (f"{CSV};q=0", None),
        (f"{CSV};q=0.000, */*", None),
        (f"*/*, {CSV};q=0.5", None),
        (f"application/json;q=0, */*, {CSV};q=0.5", CSV),
        ("text/csvx", None),
        ("text/*", None),
        ("", None),
        (",;,;q=,", None),
        ("text/csv;q=abc", CSV),
        ("text/csv;q=1.2.3", CSV),
    ],
)
def test_accepted_type_has_the_largest_weight(accept: str, expected: str | None) -> None:
    assert accepted_type(accept, KINDS) == expected
