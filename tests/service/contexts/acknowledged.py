"""What a service has acknowledged of its contexts, and what each of them holds if nothing was lost or counted twice.

Every change of a context has a version and a number of observations, so that the answers alone show in which order the
changes were made, and how much of another context a merge or an import took in.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, pairwise

import numpy as np
from numpy.typing import NDArray

INPUTS = 2
COEFFICIENTS = [1.5, -0.7]


@dataclass(frozen=True)
class Block:
    """Rows that were observed, or taken out again (weight −1)."""

    number: int
    size: int
    weight: int = 1

    @property
    def rows(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """X (N, D) and y (N)."""
        generator = np.random.default_rng(self.number)
        x = generator.normal(size=(self.size, INPUTS)) + 3.0
        return x, x @ COEFFICIENTS + generator.normal(size=self.size)

    def taken_out(self) -> "Block":
        """The change that undoes this one."""
        return Block(self.number, self.size, -self.weight)


@dataclass(frozen=True)
class Part:
    """What another context held at the time: merged, or imported."""

    source: str


Effect = Block | Part | None
"""None: the context was made, and is empty."""


@dataclass(frozen=True)
class Change:
    """Of one context."""

    n_observations: int
    """After it."""
    effect: Effect


@dataclass
class Acknowledged:
    """All changes of all contexts, as they were answered."""

    changes: dict[str, dict[int, Change]] = field(default_factory=dict)
    """By context and version."""
    deleted: set[str] = field(default_factory=set)
    total: int = 0
    failures: list[BaseException] = field(default_factory=list)
    progress: threading.Condition = field(default_factory=threading.Condition)
    numbers: Iterator[int] = field(default_factory=count)

    def add(self, context: str, version: int, n_observations: int, effect: Effect) -> None:
        """Note one change.

        Raises:
            AssertionError: Another one had this version.
        """
        with self.progress:
            changes = self.changes.setdefault(context, {})
            assert version not in changes, f"{context} {version} is {changes[version]} and {effect}"
            changes[version] = Change(n_observations, effect)
            self.total += 1
            self.progress.notify_all()

    def fail(self, error: BaseException) -> None:
        """Note that a client has failed."""
        with self.progress:
            self.failures.append(error)
            self.progress.notify_all()

    def check_clients(self) -> None:
        """Raise what the first client raised that failed."""
        for failure in self.failures:
            raise failure

    def wait_for_more(self, changes: int, seconds: float) -> None:
        """Wait until so many further changes are acknowledged."""
        with self.progress:
            enough = self.total + changes
            self.progress.wait_for(lambda: self.total >= enough or self.failures, seconds)
            self.check_clients()
            assert self.total >= enough, f"{self.total} of {enough} changes are acknowledged after {seconds} s"

    def kept(self) -> dict[str, tuple[int, Change]]:
        """The contexts that were not deleted, with their last version."""
        last = {context: max(changes) for context, changes in self.changes.items() if context not in self.deleted}
        return {context: (version, self.changes[context][version]) for context, version in last.items()}

    def check_sequence(self) -> None:
        """Check that the versions of every context have no gap, and that each adds the rows of its change."""
        for context, changes in self.changes.items():
            assert sorted(changes) == list(range(1, 1 + len(changes))), f"{context}: a change is missing"
            for before, after in pairwise(sorted(changes)):
                added = changes[after].n_observations - changes[before].n_observations
                effect = changes[after].effect
                assert not isinstance(effect, Block) or added == effect.size, f"{context} {after}: {effect}, {added}"


class Contents:
    """Which rows each context holds, by how often: made of the acknowledged changes alone."""

    def __init__(self, acknowledged: Acknowledged) -> None:
        self._changes = acknowledged.changes
        self._versions = {
            context: {change.n_observations: version for version, change in changes.items()}
            for context, changes in acknowledged.changes.items()
        }
        self._known: dict[tuple[str, int], Counter[Block]] = {}

    def of(self, context: str, version: int) -> Counter[Block]:
        """Find what a context held at a version."""
        if version == 0:
            return Counter()
        if (context, version) not in self._known:
            held = self.of(context, version - 1)
            self._known[context, version] = self._after(held, context, version)
        return self._known[context, version]

    def weighted_rows(self, context: str, version: int) -> tuple[NDArray[np.float64], ...]:
        """Rows x (N, D), y (N) and weight (N) of the blocks that were not taken out again."""
        held = [(block.rows, weight) for block, weight in self.of(context, version).items() if weight]
        x, y = (np.concatenate([rows[axis] for rows, _ in held]) for axis in (0, 1))
        return x, y, np.concatenate([np.full(len(rows[1]), float(weight)) for rows, weight in held])

    def _after(self, held: Counter[Block], context: str, version: int) -> Counter[Block]:
        change, after = self._changes[context][version], Counter(held)
        if isinstance(change.effect, Block):
            after[Block(change.effect.number, change.effect.size)] += change.effect.weight
        if isinstance(change.effect, Part):
            before = self._changes[context][version - 1].n_observations if version > 1 else 0
            source, taken = change.effect.source, change.n_observations - before
            assert taken in self._versions[source], f"{context} {version}: {taken} rows, as {source} never had"
            after.update(self.of(source, self._versions[source][taken]))
        return after
