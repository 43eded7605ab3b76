from dataclasses import FrozenInstanceError, fields

import pytest

from service.access.caller import ANONYMOUS, Caller


def test_without_authentication_everybody_owns_the_same_and_may_do_everything() -> None:
    assert ANONYMOUS.key_id == ""
    assert ANONYMOUS.admin
    assert ANONYMOUS.rate_limit is None


def test_what_a_caller_may_do_does_not_change() -> None:
    """One object is handed to every request of its key."""
    caller = Caller("alice", admin=False)
    for field in fields(Caller):
        with pytest.raises(FrozenInstanceError):
            setattr(caller, field.name, True)
    assert caller == Caller("alice", admin=False, rate_limit=None)
