import math

import pytest

from service.access.keys import ANONYMOUS, Caller
from service.access.rate_limits import RateLimits
from service.errors import RateLimited

ALICE, BOB = Caller("alice", admin=False), Caller("bob", admin=False)


def accepted(rates: RateLimits, caller: Caller, tries: int) -> int:
    """Count how many of several requests come through."""
    count = 0
    for _ in range(tries):
        try:
            rates.count(caller)
            count += 1
        except RateLimited:
            pass
    return count


def test_limit_is_counted_per_key() -> None:
    rates = RateLimits(5)
    assert accepted(rates, ALICE, 11) == 5
    assert accepted(rates, BOB, 11) == 5


def test_key_limit_overrides_the_setting() -> None:
    rates = RateLimits(5)
    assert accepted(rates, Caller("alice", admin=False, rate_limit=7), 11) == 7
    assert accepted(rates, Caller("bob", admin=False, rate_limit=0), 11) == 11


def test_zero_is_unlimited_and_stores_nothing() -> None:
    rates = RateLimits(0)
    assert accepted(rates, ANONYMOUS, 11) == 11
    assert not rates._requests


def test_stored_times_never_exceed_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    rates = RateLimits(5)
    for now in range(0, 1000, 7):  # noqa: B007  (the clock reads it)
        accepted(rates, ALICE, 2)
        assert len(rates._requests[ALICE.key_id]) <= 5


def test_refusal_has_the_limit_and_retry_after(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    rates = RateLimits(2)
    for _ in range(2):
        rates.count(ALICE)
        now += 13.5
    with pytest.raises(RateLimited, match=r"2 requests a minute\. Try again in 33 s") as refused:
        rates.count(ALICE)
    assert (refused.value.a_minute, refused.value.retry_after) == (2, 33)  # the first of the two is a minute old then
    now += 32.9
    assert accepted(rates, ALICE, 1) == 0
    now += 0.2
    assert accepted(rates, ALICE, 2) == 1


def test_quota_has_the_rest_of_the_limit_and_the_time_of_the_oldest_request(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    rates = RateLimits(3)
    assert rates.count(ALICE) == (3, 2, 60)
    now += 13.5
    assert rates.count(ALICE) == (3, 1, 47)
    now += 46.25
    assert rates.count(ALICE) == (3, 0, 1)
    now += 0.25  # the first is a minute old
    assert rates.count(ALICE) == (3, 0, 14)
    assert rates.count(Caller("bob", admin=False, rate_limit=0)) is None


def test_request_counts_for_60_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = began = 1_000_000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    rates = RateLimits(1)
    rates.count(ALICE)
    now = math.nextafter(began + 60, 0)
    with pytest.raises(RateLimited) as refused:
        rates.count(ALICE)
    assert refused.value.retry_after == 1
    now = began + 60
    assert accepted(rates, ALICE, 2) == 1


def test_waiting_for_retry_after_is_sufficient(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    rates = RateLimits(1)
    rates.count(ALICE)
    for passed in (0.0, 0.5, 30.0, 59.0):
        now = 1_000_000.0 + passed
        with pytest.raises(RateLimited) as refused:
            rates.count(ALICE)
        assert refused.value.retry_after == math.ceil(60 - passed)


def test_retry_after_is_at_least_one_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 2²⁰ seconds a number has half as many digits behind the point, so that a minute later may round to now."""
    now = math.nextafter(2.0**20 - 30, math.inf)
    monkeypatch.setattr("time.monotonic", lambda: now)
    rates = RateLimits(1)
    rates.count(ALICE)
    began, now = now, 2.0**20 + 30
    assert began > now - 60
    assert began + 60 == now
    with pytest.raises(RateLimited) as refused:
        rates.count(ALICE)
    assert refused.value.retry_after == 1
