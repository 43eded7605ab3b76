"""Limits on the use of one resource at a time: by the process, and by each key, so that no key can use all of it."""

from collections import defaultdict

from service.errors import Overloaded


class Capacity:
    """A counter with a limit for the process and a limit for each key.

    Args:
        limit: For the process.
        share: The part of the limit that one key may use; callers without a key have no limit of their key.
        full_message: The error message when the process has reached its limit.
        unit: The resource, in the plural.
        key_minimum: One key may always use this amount, whatever its share.
    """

    def __init__(self, limit: int, share: float, full_message: str, unit: str, key_minimum: int = 1) -> None:
        self.limit = limit
        self.key_limit = min(limit, max(int(share * limit), key_minimum))
        self.used = 0
        self._full_message = full_message
        self._unit = unit
        self._used_by_key: defaultdict[str, int] = defaultdict(int)

    def acquire(self, amount: int, key: str = "") -> None:
        """Reserve an amount.

        Args:
            amount: In units of the resource.
            key: The id of the caller's key; empty while it is unknown, and for callers without a key.

        Raises:
            Overloaded: A limit would be exceeded; nothing is reserved.
        """
        if self.used + amount > self.limit:
            raise Overloaded(f"{self._full_message} Try again in a moment.")
        if key:
            self.charge_key(amount, key)
        self.used += amount

    def charge_key(self, amount: int, key: str) -> None:
        """Count an amount that is already reserved for a key.

        Raises:
            Overloaded: The key's limit would be exceeded; the amount is not counted for the key.
        """
        if self._used_by_key.get(key, 0) + amount > self.key_limit:
            raise Overloaded(
                f"One key may hold {self.key_limit} of {self.limit} {self._unit} (GDSSM_MAX_SHARE). "
                "Try again in a moment."
            )
        self._used_by_key[key] += amount

    def release(self, amount: int, key: str = "") -> None:
        """Release an amount that `acquire` reserved."""
        self.used -= amount
        if key:
            self.release_key(amount, key)

    def release_key(self, amount: int, key: str) -> None:
        """Undo `charge_key`."""
        self._used_by_key[key] -= amount
        if not self._used_by_key[key]:
            del self._used_by_key[key]
