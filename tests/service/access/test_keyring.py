import hmac
import logging
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from service.access.keyring import EXTRA_READS_LIMIT, NO_KEY_YET, OUTAGE_LIMIT, REFRESH_INTERVAL, KeyRing, keys_required
from service.access.keys import Caller, Key, Keys, hash_of
from service.errors import DatabaseUnavailable, Unauthenticated
from service.settings import Settings
from service.store.database import Database


class Counted(Keys):
    """Counts its readings, and can be cut off from its database."""

    readings = 0
    cut_off = False

    def in_force(self) -> dict[str, Key]:
        self.readings += 1
        if self.cut_off:
            raise DatabaseUnavailable("It does not answer.")
        return super().in_force()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Counted]:
    database = Database.open(f"sqlite:///{tmp_path}/keys.db")
    yield Counted(database)
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ring(keys: Counted, clock: Clock) -> KeyRing:
    ring = KeyRing(keys, clock)
    ring.refresh()
    return ring


def known(keys: Keys, ring: KeyRing) -> str:
    key = keys.create("alice")
    ring.refresh()
    return key


def test_valid_key_authenticates_its_holder(keys: Keys, ring: KeyRing) -> None:
    plain, admin = keys.create("alice"), keys.create("deploy", admin=True, rate_limit=7)
    ring.refresh()
    assert ring.caller(plain) == Caller(plain.split("_")[1], admin=False)
    assert ring.caller(admin) == Caller(admin.split("_")[1], admin=True, rate_limit=7)


def test_altered_keys_are_refused(keys: Keys, ring: KeyRing) -> None:
    key, other = known(keys, ring), known(keys, ring)
    prefix, key_id, secret = key.split("_", 2)
    wrong = [key[:-1], key + "A", key.upper(), f"other_{key_id}_{secret}", f"{prefix}_{key_id}_", f"{prefix}_{key_id}"]
    wrong += [f"{prefix}_{other.split('_')[1]}_{secret}", f"{prefix}_{key_id}_{hash_of(secret)}", secret, "", "_", "é€"]
    for text in wrong:
        with pytest.raises(Unauthenticated, match="not valid"):
            ring.caller(text)
    assert ring.caller(key).key_id == key_id


def test_missing_key_error_describes_the_header(ring: KeyRing) -> None:
    with pytest.raises(Unauthenticated, match="Authorization: Bearer"):
        ring.caller(None)


def test_secrets_are_compared_in_constant_time_even_for_an_unknown_id(keys: Keys, ring: KeyRing) -> None:
    key = known(keys, ring)
    with patch("service.access.keyring.hmac.compare_digest", wraps=hmac.compare_digest) as compare:
        ring.caller(key)
        with pytest.raises(Unauthenticated):
            ring.caller("gdssm_0000000000000000_guess")
    lengths = [[len(side) for side in call.args] for call in compare.call_args_list]
    assert lengths == [[64, 64], [64, 64]]


def test_made_up_keys_cause_few_reads_and_are_not_cached(keys: Counted, ring: KeyRing) -> None:
    before = keys.readings
    for number in range(1000):
        with pytest.raises(Unauthenticated):
            ring.caller(f"gdssm_{number:016x}_guess")
    assert keys.readings == before
    assert not ring.stale
    assert ring._keys_by_id == {}


def test_key_sent_during_a_read_may_be_new(ring: KeyRing, clock: Clock) -> None:
    key = "gdssm_0123456789abcdef_guess"
    came = clock.now + 0.001
    assert ring.may_be_new(key, came)
    clock.now += 0.002
    ring.refresh()
    assert not ring.may_be_new(key, came)


def test_extra_reads_are_limited_within_the_refresh_interval(ring: KeyRing, clock: Clock) -> None:
    key = "gdssm_0123456789abcdef_guess"
    for _ in range(EXTRA_READS_LIMIT):
        assert ring.may_be_new(key, clock.now + 1)
        ring.count_further()
    clock.now += REFRESH_INTERVAL * 0.99
    assert not ring.may_be_new(key, clock.now + 1)
    clock.now += REFRESH_INTERVAL * 0.01
    assert ring.may_be_new(key, clock.now + 1)
    ring.count_further()
    assert ring.may_be_new(key, clock.now + 1)


def test_revoked_key_is_refused_after_the_next_read(keys: Keys, ring: KeyRing, clock: Clock) -> None:
    key = known(keys, ring)
    keys.revoke(key.split("_")[1])
    clock.now += REFRESH_INTERVAL * 0.99
    assert not ring.stale
    clock.now += REFRESH_INTERVAL * 0.01
    assert ring.stale
    ring.refresh()
    assert not ring.stale
    with pytest.raises(Unauthenticated):
        ring.caller(key)


def test_key_is_known_from_its_first_use_until_the_keys_are_stale(keys: Keys, ring: KeyRing, clock: Clock) -> None:
    key = known(keys, ring)
    assert ring.known(key) is None
    assert ring.known(None) is None
    caller = ring.caller(key)
    clock.now += REFRESH_INTERVAL * 0.99
    assert ring.known(key) is caller
    assert ring.known(key + "x") is None
    clock.now += REFRESH_INTERVAL * 0.01
    assert ring.known(key) is None
    ring.refresh()
    assert ring.known(key) is None  # it is authenticated again with the new keys


def test_known_key_expires_at_the_outage_limit(keys: Counted, ring: KeyRing, clock: Clock) -> None:
    key = known(keys, ring)
    began = clock.now
    ring.caller(key)
    keys.cut_off = True
    clock.now = began + OUTAGE_LIMIT - 0.1
    ring.refresh()
    assert ring.known(key) is not None
    clock.now = began + OUTAGE_LIMIT
    assert not ring.stale
    assert ring.known(key) is None


def test_keys_refresh_after_2_seconds_and_last_5_minutes_without_database(
    keys: Counted, ring: KeyRing, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """In numbers, because `REFRESH_INTERVAL` and the like are what may be wrong."""
    key = known(keys, ring)
    for _ in range(20):
        assert ring.may_be_new("gdssm_0123456789abcdef_guess", clock.now + 1)
        ring.count_further()
    assert not ring.may_be_new("gdssm_0123456789abcdef_guess", clock.now + 1)
    began, clock.now = clock.now, clock.now + 1.999
    assert not ring.stale
    clock.now = began + 2
    assert ring.stale
    keys.cut_off = True
    clock.now = began + 299.999
    with caplog.at_level(logging.WARNING):
        ring.refresh()
    assert [record.getMessage() for record in caplog.records] == [
        "The keys could not be read again: It does not answer."
    ]
    assert ring.caller(key).key_id in key
    clock.now = began + 300
    with pytest.raises(DatabaseUnavailable, match=r"the database does not answer\. Try again\.$"):
        ring.caller(key)


def test_cached_keys_are_valid_until_the_outage_limit(keys: Counted, ring: KeyRing, clock: Clock) -> None:
    key = known(keys, ring)
    keys.cut_off = True
    clock.now += OUTAGE_LIMIT * 0.99
    ring.refresh()
    assert not ring.stale  # it is not asked again at once
    assert ring.caller(key).key_id in key
    clock.now += OUTAGE_LIMIT * 0.01
    ring.refresh()
    with pytest.raises(DatabaseUnavailable):
        ring.caller(key)
    keys.cut_off = False
    ring.refresh()
    assert ring.caller(key).key_id in key


def test_warning_is_logged_when_there_is_no_key(keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        KeyRing.open(keys)
        assert [record.getMessage() for record in caplog.records] == [NO_KEY_YET]
        caplog.clear()
        key = keys.create("alice")
        KeyRing.open(keys)
        assert not caplog.records
        keys.revoke(key.split("_")[1])
        KeyRing.open(keys)
        assert [record.getMessage() for record in caplog.records] == [NO_KEY_YET]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_loopback_needs_keys_only_if_auth_is_on(host: str) -> None:
    assert not keys_required(Settings(host=host))
    assert keys_required(Settings(host=host, auth="on"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "128.0.0.1", "localhost.example.org"])  # noqa: S104
def test_other_hosts_need_keys_unless_auth_is_off(host: str) -> None:
    assert keys_required(Settings(host=host))
    assert not keys_required(Settings(host=host, auth="off"))


def test_without_first_read_the_database_error_is_raised(keys: Counted, clock: Clock) -> None:
    key = keys.create("alice")
    keys.cut_off = True
    ring = KeyRing(keys, clock)
    for now in (0.0, OUTAGE_LIMIT - 1.0, OUTAGE_LIMIT + 1.0):
        clock.now = now
        ring.refresh()
        for sent in (key, "gdssm_0123456789abcdef_guess"):
            with pytest.raises(DatabaseUnavailable, match="the database does not answer"):
                ring.caller(sent)
    keys.cut_off = False
    ring.refresh()
    assert ring.caller(key).key_id in key


def test_no_missing_key_warning_when_keys_cannot_be_read(keys: Counted, caplog: pytest.LogCaptureFixture) -> None:
    keys.cut_off = True
    with caplog.at_level(logging.WARNING):
        KeyRing.open(keys)
    assert [record.getMessage() for record in caplog.records] == [
        "The keys could not be read again: It does not answer."
    ]
