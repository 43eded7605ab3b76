"""Calls on a context in a database of few contexts, and of a hundred thousand: in process, on SQLite files."""

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import delete, func, insert, select

from benchmarks.scale.sizes import UNLIMITED
from benchmarks.timing import in_turn
from benchmarks.zoo import ZOO
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.inference.predictor import Observations, Predictor
from service.registry.repository import Repository
from service.store.database import Database
from service.store.tables import CONTEXT_COUNTS, CONTEXTS

OWNER = "a key"
YEAR = 365 * 86_400
BATCH = 5000
"""Rows of one transaction."""
GENERATOR = np.random.default_rng(3)
FIRST = Observations(GENERATOR.normal(size=(50, 10)), GENERATOR.normal(size=50))
ONE, QUERY = Observations(FIRST.x[:1], FIRST.y[:1]), FIRST.x[:10]

SLOT = func.substr(CONTEXTS.c.id, 32, 1)
COUNT_ALL = insert(CONTEXT_COUNTS).from_select(
    ["owner", "slot", "count"], select(CONTEXTS.c.owner, SLOT, func.count()).group_by(CONTEXTS.c.owner, SLOT)
)
"""What adding contexts one by one would have counted."""

Seconds = dict[int, dict[str, list[float]]]
"""Of each time, by number of contexts and by call."""


class Filled:
    """A database with some contexts of one owner: one learns observations, the others are its copies."""

    def __init__(self, path: Path, predictor: Predictor, model: str, count: int) -> None:
        self._database = Database.open(f"sqlite:///{path}")
        self._contexts = ContextService(self._database, predictor, max_contexts=2**31, ttl=YEAR)
        self._model = model
        self._ids = [self._contexts.create(OWNER, ContextSpec(model), FIRST).id]
        self._copy(count - 1)

    def calls(self) -> Mapping[str, Callable[[], object]]:
        """Return the calls that are timed, each on a random context."""
        contexts, choose = self._contexts, partial(random.choice, self._ids)
        return {
            "observe": lambda: contexts.observe(OWNER, choose(), ONE),
            "predict": lambda: contexts.predict(OWNER, choose(), QUERY),
            "make and remove": lambda: contexts.delete(OWNER, contexts.create(OWNER, ContextSpec(self._model)).id),
        }

    def export(self) -> bytes:
        """Export the first context."""
        return self._contexts.export(OWNER, self._ids[0])[0]

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _copy(self, count: int) -> None:
        with self._database.reading() as connection:
            learnt = dict(zip(CONTEXTS.c.keys(), connection.execute(select(CONTEXTS)).one(), strict=True))
        for start in range(0, count, BATCH):
            names = [secrets.token_hex(16) for _ in range(min(BATCH, count - start))]
            with self._database.transaction() as connection:
                connection.execute(insert(CONTEXTS), [{**learnt, "id": name} for name in names])
            self._ids += names
        with self._database.transaction() as connection:
            connection.execute(delete(CONTEXT_COUNTS))
            connection.execute(COUNT_ALL)


def among(model: str, counts: Sequence[int], rounds: int) -> Seconds:
    """Time every call in every database, round by round."""
    predictor = Predictor(Repository.load([ZOO], threads=1), model, UNLIMITED)
    with TemporaryDirectory() as directory, ExitStack() as stack:
        filled = {
            count: stack.enter_context(closing(Filled(Path(directory) / f"{count}.db", predictor, model, count)))
            for count in counts
        }
        calls = {(count, name): call for count, own in filled.items() for name, call in own.calls().items()}
        times = in_turn(calls, rounds)
    seconds: Seconds = {count: {} for count in counts}
    for (count, name), values in times.items():
        seconds[count][name] = values
    return seconds
