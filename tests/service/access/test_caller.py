from dataclasses import FrozenInstanceError, fields

import pytest

from service.access.caller import ANONYMOUS, Caller


def test_anonymous_caller_is_admin_without_owner() -> None:
    assert ANONYMOUS.key_id == ""
    assert ANONYMOUS.admin
    assert ANONYMOUS.rate_limit is None


def test_caller_is_immutable() -> None:
    """One object is handed to every request of its key."""
    caller = Caller("alice", admin=False)
    for field in fields(Caller):
        with pytest.raises(FrozenInstanceError):
            setattr(caller, field.name, True)
    assert caller == Caller("alice", admin=False, rate_limit=None)
