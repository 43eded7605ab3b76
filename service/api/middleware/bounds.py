"""How much of one thing is held at a time: by all together, and by each key, so that no key keeps out the others."""

from collections import defaultdict

from service.errors import Overloaded


class Bound:
    """A count that stays within a bound, and that of each key within its share of it.

    Args:
        most: Held by all together.
        share: Of that, what one key may hold; callers without a key have no share.
        least: One key may hold as much as this anyway.
        full: What to say when all is held.
        what: Of what, in the plural.
    """

    def __init__(self, most: int, share: float, full: str, what: str, least: int = 1) -> None:
        self.most = most
        self.most_of_one = min(most, max(int(share * most), least))
        self.held = 0
        self._full = full
        self._what = what
        self._by_key: defaultdict[str, int] = defaultdict(int)

    def take(self, amount: int, key: str = "") -> None:
        """Hold more.

        Args:
            amount: How much.
            key: The id of whose; empty while that is not known, and for callers without a key.

        Raises:
            Overloaded: That would be too much; nothing is held then.
        """
        if self.held + amount > self.most:
            raise Overloaded(f"{self._full} Try again in a moment.")
        if key:
            self.ascribe(amount, key)
        self.held += amount

    def ascribe(self, amount: int, key: str) -> None:
        """Count what is held already as held by a key.

        Raises:
            Overloaded: It would be over the share of the key; it is not counted then.
        """
        if self._by_key.get(key, 0) + amount > self.most_of_one:
            raise Overloaded(
                f"One key may hold {self.most_of_one} of {self.most} {self._what} (GDSSM_MAX_SHARE). "
                "Try again in a moment."
            )
        self._by_key[key] += amount

    def give_back(self, amount: int, key: str = "") -> None:
        """Hold less."""
        self.held -= amount
        if key:
            self.disown(amount, key)

    def disown(self, amount: int, key: str) -> None:
        """Undo `ascribe`."""
        self._by_key[key] -= amount
        if not self._by_key[key]:
            del self._by_key[key]
