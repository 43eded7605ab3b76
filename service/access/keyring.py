"""Who a key belongs to, without asking the database for each request."""

import hmac
import ipaddress
import logging
import re
import time
from collections.abc import Callable
from typing import Self

from service.access.caller import Caller
from service.access.keys import PREFIX, Keys, hash_of
from service.errors import DatabaseUnavailable, Unauthenticated
from service.settings import Settings

logger = logging.getLogger(__name__)

FRESH_FOR = 2.0
"""Seconds for which the keys are believed to be what they were: so long may a revoked key still open."""
NEW_KEYS = 20
"""Further readings within `FRESH_FOR` for the sake of keys that are not known yet; made-up ones cause no more."""
GRACE = 300.0
"""Seconds for which the keys last known stay good while the database does not answer."""
NOBODY = (hash_of(""), None)
KEY = re.compile(rf"{PREFIX}_([0-9a-f]{{16}})_")
"""How a key begins."""

MISSING = "This needs a key. Send it in the header Authorization: Bearer gdssm_…"
REFUSED = "This key is not valid, or has been revoked. Ask whoever runs the service for another."
NO_KEY_YET = "There is no key yet, so every request gets 401. Make one: python -m service keys create NAME"


def keys_required(settings: Settings) -> bool:
    """Tell whether callers need a key: with `auto`, wherever others than this machine can call."""
    if settings.auth != "auto":
        return settings.auth == "on"
    try:
        return not ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        return settings.host != "localhost"


def claimed_id(key: str | None) -> str:
    """Read the id out of what was sent as a key; empty where it cannot be one that was made here."""
    found = KEY.match(key or "")
    return found[1] if found else ""


class KeyRing:
    """Every key in force, read from the database again when the last reading is too old, or a key may be new.

    All of them and not one at a time: an operator makes a few hundred keys, while an attacker sends as many made-up
    ones as the line carries. So memory never sees a made-up key, and 1 + `NEW_KEYS` queries in `FRESH_FOR` seconds at
    most serve every request of the process.

    Args:
        keys: Where to read them.
        clock: Seconds that only go forward.
    """

    def __init__(self, keys: Keys, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._clock = clock
        self._held: dict[str, tuple[str, Caller]] = {}
        """By key id: the hash of its secret, and who its holder is."""
        self._seen: dict[str, Caller] = {}
        """By the whole key: those of them that were sent since the last reading, so that each is hashed once."""
        self._asked = self._known = self._began_counting = -float("inf")
        self._further = 0
        """Readings since `_began_counting`."""

    @classmethod
    def open(cls, keys: Keys) -> Self:
        """Read the keys for the first time, and tell the operator if there is none."""
        ring = cls(keys)
        ring.refresh()
        if not ring._held and ring._known > -float("inf"):
            logger.warning(NO_KEY_YET)
        return ring

    @property
    def stale(self) -> bool:
        """Whether to `refresh` before asking."""
        return self._clock() - self._asked >= FRESH_FOR

    def refresh(self) -> None:
        """Read the keys again (waits for the database); if that fails, the ones last known stay good for a while."""
        began = self._clock()
        try:
            keys = self._keys.in_force().values()
            held = {key.id: (key.secret_sha256, Caller(key.id, key.admin, key.rate_limit)) for key in keys}
            self._held, self._seen = held, {}
            self._known = self._asked = began
        except DatabaseUnavailable as error:
            self._asked = self._clock()
            logger.warning("The keys could not be read again: %s", error)

    def count_further(self) -> None:
        """Count a reading for the sake of a key that is not known."""
        now = self._clock()
        if now - self._began_counting >= FRESH_FOR:
            self._began_counting, self._further = now, 0
        self._further += 1

    def now(self) -> float:
        """Read the clock, for `may_be_new`."""
        return self._clock()

    def may_be_new(self, key: str | None, since: float) -> bool:
        """Tell whether to `refresh` for a key that was refused: it may have been made after the last reading.

        Args:
            key: As it was sent.
            since: When it came; keys that were read later than that are up to date.
        """
        key_id = claimed_id(key)
        allowed = self._further < NEW_KEYS or self._clock() - self._began_counting >= FRESH_FOR
        return bool(key_id) and key_id not in self._held and self._asked < since and allowed

    def caller(self, key: str | None) -> Caller:
        """Find out who asks.

        Args:
            key: As it was sent; None if none was.

        Raises:
            Unauthenticated: No key, or not one that is in force.
            DatabaseUnavailable: It has not answered for too long to know.
        """
        if key is None:
            raise Unauthenticated(MISSING)
        if self._clock() - self._known >= GRACE:
            raise DatabaseUnavailable("The keys cannot be checked: the database does not answer. Try again.")
        seen = self._seen  # before the keys: what is found in old ones must not be written down beside new ones
        caller = seen.get(key)
        if caller is None:
            caller = seen[key] = self._holder(key)
        return caller

    def _holder(self, key: str) -> Caller:
        prefix, _, rest = key.partition("_")
        key_id, _, secret = rest.partition("_")
        # Compared in constant time, and also where there is nothing to compare with: how long it takes tells nothing.
        secret_sha256, caller = self._held.get(key_id, NOBODY)
        if not hmac.compare_digest(hash_of(secret), secret_sha256) or caller is None or prefix != PREFIX:
            raise Unauthenticated(REFUSED)
        return caller
