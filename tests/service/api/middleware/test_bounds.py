import pytest

from service.api.middleware.bounds import Bound
from service.errors import Overloaded


def bound(most: int = 10, share: float = 0.5, least: int = 1) -> Bound:
    return Bound(most, share, "10 things are held.", "things", least)


def test_all_together_hold_at_most_the_bound() -> None:
    things = bound()
    things.take(10)
    with pytest.raises(Overloaded, match="10 things are held"):
        things.take(1)
    things.give_back(1)
    things.take(1)
    assert things.held == 10


def test_one_key_holds_at_most_its_share_and_leaves_the_rest_to_others() -> None:
    things = bound()
    things.take(5, "a")
    with pytest.raises(Overloaded, match="One key may hold 5 of 10 things"):
        things.take(1, "a")
    things.take(5, "b")
    assert things.held == 10


def test_what_is_refused_is_not_held() -> None:
    things = bound()
    for amount, key in ((6, "a"), (11, ""), (11, "a")):
        with pytest.raises(Overloaded):
            things.take(amount, key)
    assert things.held == 0
    things.take(5, "a")


def test_what_was_held_before_its_key_was_known_counts_for_it() -> None:
    things = bound()
    things.take(6)
    things.ascribe(3, "a")
    with pytest.raises(Overloaded):
        things.ascribe(3, "a")
    things.give_back(3, "a")
    things.ascribe(3, "a")
    things.give_back(3)
    assert things.held == 0


def test_what_a_key_gives_back_may_be_held_again_and_what_it_keeps_still_counts() -> None:
    things = bound()
    things.take(5, "a")
    things.give_back(2, "a")
    with pytest.raises(Overloaded):
        things.take(3, "a")
    things.take(2, "a")
    things.give_back(5, "a")
    assert not things._by_key  # of a key that holds nothing, nothing is remembered


def test_callers_without_a_key_have_no_share() -> None:
    bound().take(10, "")


@pytest.mark.parametrize(
    ("most", "share", "least", "expected"), [(10, 0.01, 1, 1), (10, 0.1, 4, 4), (10, 0.1, 40, 10), (3, 0.5, 1, 1)]
)
def test_one_key_may_hold_something_in_any_case(most: int, share: float, least: int, expected: int) -> None:
    bound(most, share, least).take(expected, "a")
    with pytest.raises(Overloaded):
        bound(most, share, least).take(expected + 1, "a")
