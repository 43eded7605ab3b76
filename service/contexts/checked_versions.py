"""When the rows of cached contexts were last seen unchanged."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from threading import Lock
from typing import NamedTuple

from service.contexts.records import ContextRecord

CONTEXTS_LIMIT = 100_000
"""Contexts that are remembered; the least recently checked one is forgotten first."""


class Check(NamedTuple):
    """A look at a row, or the notice of a change."""

    at: float
    """On the clock of `time.monotonic`, before the look."""
    owner: str = ""
    version: int = 0
    updated: float = 0.0


class CheckedVersions:
    """The last checks of contexts: a caller may allow answers of some age; safe to use from several threads.

    Args:
        clock: Returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._checks: OrderedDict[str, Check] = OrderedDict()
        self._lock = Lock()
        self._since = float("-inf")

    def note(self, owner: str, record: ContextRecord, at: float) -> None:
        """Note that a row had a version, unless a change was heard of since the look began.

        Args:
            owner: Of the context.
            record: Of the row.
            at: When the look began.
        """
        with self._lock:
            last = self._checks.get(record.id)
            if at > self._since and (last is None or last.at < at):
                self._put(record.id, Check(at, owner, record.version, record.updated))

    def hear(self, changed: Collection[str] | None) -> None:
        """Forget the checks of contexts that have changed; None forgets all."""
        with self._lock:
            now = self.clock()
            if changed is None:
                self._since = now
                self._checks.clear()
            else:
                for context_id in changed:
                    self._put(context_id, Check(now))

    def is_recent(self, owner: str, record: ContextRecord, max_age: float) -> bool:
        """Return whether a row of this owner was seen to have this version within the last `max_age` seconds."""
        check = self._checks.get(record.id)
        if check is None or self.clock() - check.at > max_age:
            return False
        return (check.owner, check.version, check.updated) == (owner, record.version, record.updated)

    def _put(self, context_id: str, check: Check) -> None:
        self._checks[context_id] = check
        self._checks.move_to_end(context_id)
        if len(self._checks) > CONTEXTS_LIMIT:
            self._checks.popitem(last=False)
