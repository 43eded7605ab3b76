import pytest

from service.api.middleware.admission import Capacity
from service.errors import Overloaded


def capacity(limit: int = 10, share: float = 0.5, key_minimum: int = 1) -> Capacity:
    return Capacity(limit, share, "10 things are held.", "things", key_minimum)


def test_all_together_hold_at_most_the_capacity() -> None:
    things = capacity()
    things.acquire(10)
    with pytest.raises(Overloaded, match="10 things are held"):
        things.acquire(1)
    things.release(1)
    things.acquire(1)
    assert things.used == 10


def test_use_of_one_key_is_limited_to_its_share() -> None:
    things = capacity()
    things.acquire(5, "a")
    with pytest.raises(Overloaded, match="One key may hold 5 of 10 things"):
        things.acquire(1, "a")
    things.acquire(5, "b")
    assert things.used == 10


def test_refused_request_holds_no_capacity() -> None:
    things = capacity()
    for amount, key in ((6, "a"), (11, ""), (11, "a")):
        with pytest.raises(Overloaded):
            things.acquire(amount, key)
    assert things.used == 0
    things.acquire(5, "a")


def test_capacity_held_before_authentication_counts_for_the_key() -> None:
    things = capacity()
    things.acquire(6)
    things.charge_key(3, "a")
    with pytest.raises(Overloaded):
        things.charge_key(3, "a")
    things.release(3, "a")
    things.charge_key(3, "a")
    things.release(3)
    assert things.used == 0


def test_released_capacity_of_a_key_is_available_again() -> None:
    things = capacity()
    things.acquire(5, "a")
    things.release(2, "a")
    with pytest.raises(Overloaded):
        things.acquire(3, "a")
    things.acquire(2, "a")
    things.release(5, "a")
    assert not things._used_by_key  # unused keys are removed


def test_callers_without_a_key_have_no_key_limit() -> None:
    capacity().acquire(10, "")


@pytest.mark.parametrize(
    ("limit", "share", "key_minimum", "expected"),
    [(10, 0.01, 1, 1), (10, 0.1, 4, 4), (10, 0.1, 40, 10), (3, 0.5, 1, 1)],
)
def test_key_limit_has_a_minimum(limit: int, share: float, key_minimum: int, expected: int) -> None:
    capacity(limit, share, key_minimum).acquire(expected, "a")
    with pytest.raises(Overloaded):
        capacity(limit, share, key_minimum).acquire(expected + 1, "a")
