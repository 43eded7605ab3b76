"""A cache of the API keys, which authenticates requests without a query for each."""

import asyncio
import hmac
import ipaddress
import logging
import re
import time
from collections.abc import Callable
from typing import Self

from service.access.keys import PREFIX, Caller, Keys, hash_of
from service.errors import DatabaseUnavailable, Unauthenticated
from service.settings import Settings

logger = logging.getLogger(__name__)

REFRESH_INTERVAL = 2.0
"""Seconds between two readings of the keys, by default: so long a revoked key may still be accepted."""
EXTRA_READS_LIMIT = 20
"""Additional readings within `REFRESH_INTERVAL` for unknown keys, which may be new or made up."""
OUTAGE_LIMIT = 300.0
"""Seconds for which the cached keys are valid while the database does not answer."""
UNKNOWN = (hash_of(""), None)
KEY_START = re.compile(rf"{PREFIX}_([0-9a-f]{{16}})_")

MISSING = "This needs a key. Send it in the header Authorization: Bearer gdssm_…"
REFUSED = "This key is not valid, or has been revoked. Ask the operator of the service for another."
NO_KEY_YET = "There is no key yet, so every request gets 401. Make one: python -m service keys create NAME"


def keys_required(settings: Settings) -> bool:
    """Return whether callers need a key: with `auto`, if other machines can call."""
    if settings.auth != "auto":
        return settings.auth == "on"
    try:
        return not ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        return settings.host != "localhost"


def claimed_id(key: str | None) -> str:
    """Read the id of a key; empty if it is not a key of this service."""
    found = KEY_START.match(key or "")
    return found[1] if found else ""


class KeyRing:
    """All valid keys, read from the database again after `REFRESH_INTERVAL`, or if a key may be new.

    All at once: there are a few hundred keys, while an attacker may send any number of made-up ones. So made-up keys
    use no memory, and at most 1 + `EXTRA_READS_LIMIT` queries in `REFRESH_INTERVAL` serve all requests.

    Args:
        keys: The table of keys.
        clock: A monotonic clock, in seconds.
        refresh_interval: Seconds between two readings.
    """

    def __init__(
        self, keys: Keys, clock: Callable[[], float] = time.monotonic, refresh_interval: float = REFRESH_INTERVAL
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._refresh_interval = refresh_interval
        self._keys_by_id: dict[str, tuple[str, Caller]] = {}
        """By key id: the hash of its secret, and its holder."""
        self._callers: dict[str, Caller] = {}
        """By key: those sent since the last reading, so that each is hashed once."""
        self._tried = self._read = self._began_counting = -float("inf")
        self._further = 0
        """Additional readings since `_began_counting`."""
        self.refreshing: asyncio.Future[None] | None = None
        """The last call of `refresh` for requests; set by its callers."""

    @classmethod
    def open(cls, keys: Keys, refresh_interval: float = REFRESH_INTERVAL) -> Self:
        """Read the keys for the first time, and log a warning if there are none."""
        ring = cls(keys, refresh_interval=refresh_interval)
        ring.refresh()
        if not ring._keys_by_id and ring._read > -float("inf"):
            logger.warning(NO_KEY_YET)
        return ring

    def known(self, key: str | None) -> Caller | None:
        """Return the holder of a key that was authenticated since the last reading, unless that is stale."""
        now = self._clock()
        is_fresh = now - self._tried < self._refresh_interval and now - self._read < OUTAGE_LIMIT
        return self._callers.get(key) if is_fresh and key is not None else None

    @property
    def stale(self) -> bool:
        """Whether to call `refresh` before `caller`."""
        return self._clock() - self._tried >= self._refresh_interval

    def refresh(self) -> None:
        """Read the keys again (waits for the database); if that fails, the cached ones are valid for `OUTAGE_LIMIT`."""
        began = self._clock()
        try:
            keys = self._keys.in_force().values()
            held = {key.id: (key.secret_sha256, Caller(key.id, key.admin, key.rate_limit)) for key in keys}
            self._keys_by_id, self._callers = held, {}
            self._read = self._tried = began
        except DatabaseUnavailable as error:
            self._tried = self._clock()
            logger.warning("The keys could not be read again: %s", error)

    def has(self, key_id: str) -> bool:
        """Return whether a key was valid at the last reading."""
        return key_id in self._keys_by_id

    def count_further(self) -> None:
        """Count an additional reading for an unknown key."""
        now = self._clock()
        if now - self._began_counting >= self._refresh_interval:
            self._began_counting, self._further = now, 0
        self._further += 1

    def now(self) -> float:
        """Read the clock, for `may_be_new`."""
        return self._clock()

    def may_be_new(self, key: str | None, since: float) -> bool:
        """Return whether to call `refresh` for a refused key: it may have been created after the last reading.

        Args:
            key: The value that was sent.
            since: The time of the request; keys that were read later are up to date.
        """
        key_id = claimed_id(key)
        allowed = self._further < EXTRA_READS_LIMIT or self._clock() - self._began_counting >= self._refresh_interval
        return bool(key_id) and key_id not in self._keys_by_id and self._tried < since and allowed

    def caller(self, key: str | None) -> Caller:
        """Authenticate a request.

        Args:
            key: The value that was sent; None if none was.

        Raises:
            Unauthenticated: There is no key, or it is not valid.
            DatabaseUnavailable: The keys were read longer than `OUTAGE_LIMIT` ago.
        """
        if key is None:
            raise Unauthenticated(MISSING)
        if self._clock() - self._read >= OUTAGE_LIMIT:
            raise DatabaseUnavailable("The keys cannot be checked: the database does not answer. Try again.")
        callers = self._callers  # before the keys: a result of old keys must not be cached with new ones
        caller = callers.get(key)
        if caller is None:
            caller = callers[key] = self._holder(key)
        return caller

    def _holder(self, key: str) -> Caller:
        prefix, _, rest = key.partition("_")
        key_id, _, secret = rest.partition("_")
        # Compared in constant time, also for unknown ids: the time reveals nothing.
        secret_sha256, caller = self._keys_by_id.get(key_id, UNKNOWN)
        if not hmac.compare_digest(hash_of(secret), secret_sha256) or caller is None or prefix != PREFIX:
            raise Unauthenticated(REFUSED)
        return caller
