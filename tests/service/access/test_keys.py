from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from service.access.keys import ANONYMOUS, Caller, Key, Keys, hash_of
from service.errors import InvalidInput
from service.store.database import Database
from tests.nonempty import nonempty


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    database = Database.open(f"sqlite:///{tmp_path}/keys.db")
    yield Keys(database)
    database.close()


def test_key_contains_its_id_and_256_random_bits(keys: Keys) -> None:
    made = [keys.create("alice") for _ in range(20)]
    ids = [key.id for key in keys.list()]
    for key, key_id in nonempty(zip(made, ids, strict=True)):
        prefix, found, secret = key.split("_", 2)
        assert (prefix, found) == ("gdssm", key_id)
        assert len(secret) == 43  # 32 bytes in base 64
    assert len(set(made)) == len(set(ids)) == 20


def test_database_stores_the_hash_but_not_the_secret(keys: Keys, tmp_path: Path) -> None:
    secret = keys.create("alice").split("_", 2)[2]
    (key,) = keys.list()
    assert key.secret_sha256 == hash_of(secret)
    assert secret not in repr(key)
    for file in nonempty(tmp_path.iterdir()):
        assert secret.encode() not in file.read_bytes()


def test_key_attributes_are_stored(keys: Keys) -> None:
    keys.create("alice")
    keys.create("deploy", admin=True, rate_limit=600)
    said = [(key.name, key.admin, key.rate_limit, key.revoked) for key in keys.list()]
    assert said == [("alice", False, None, None), ("deploy", True, 600, None)]


def test_revoked_key_is_listed_but_not_valid(keys: Keys) -> None:
    keys.create("alice")
    keys.create("bob")
    alice, bob = keys.list()
    keys.revoke(alice.id)
    assert list(keys.in_force()) == [bob.id]
    assert [key.revoked is None for key in keys.list()] == [False, True]


def test_only_a_valid_key_can_be_revoked(keys: Keys) -> None:
    keys.create("alice")
    (alice,) = keys.list()
    keys.revoke(alice.id)
    for key_id in (alice.id, "unknown"):
        with pytest.raises(InvalidInput, match=f"no valid key has the id '{key_id}'"):
            keys.revoke(key_id)


@pytest.mark.parametrize("name", ["n", "é", "n" * 100])
def test_name_of_1_to_100_characters_is_accepted(keys: Keys, name: str) -> None:
    keys.create(name)
    assert [key.name for key in keys.list()] == [name]


def test_key_is_immutable(keys: Keys) -> None:
    keys.create("alice")
    (key,) = keys.list()
    for field in fields(Key):
        with pytest.raises(FrozenInstanceError):
            setattr(key, field.name, True)


@pytest.mark.parametrize("name", ["", "n" * 101, "two\nlines", "\x1b[31m"])
def test_unprintable_or_long_name_is_refused(keys: Keys, name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 100 printable characters"):
        keys.create(name)
    assert keys.list() == ()


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
