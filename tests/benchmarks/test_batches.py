"""The benchmark of rows of a log, on few of them."""

import pytest

from benchmarks.batches import INGEST_BATCHES, ONE_BY_ONE, ingest, ingest_report


@pytest.mark.slow
def test_it_measures_every_way() -> None:
    rates = ingest(quick=True).numbers["rows_a_second"]
    assert isinstance(rates, dict)
    assert list(rates) == [*(f"batches of {batch}" for batch in INGEST_BATCHES), ONE_BY_ONE]
    assert min(rates.values()) > 0


def test_its_goal_is_a_factor_of_the_control() -> None:
    assert [ingest_report({"batches of 10": rate, ONE_BY_ONE: 1.0}, 1).goals[0].met for rate in (10.0, 9.9)] == [
        True,
        False,
    ]
