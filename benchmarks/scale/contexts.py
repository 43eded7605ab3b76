"""A context among few, and among a hundred thousand: in process, on SQLite files that are as full as they say."""

import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import insert, select

from benchmarks.scale.point import UNLIMITED
from benchmarks.zoo import ZOO
from service.contexts.contexts import Contexts
from service.predictor import Context, Predictor
from service.registry.repository import Repository
from service.store.database import Database
from service.store.tables import CONTEXTS

OWNER = "a key"
YEAR = 365 * 86_400
BATCH = 5000
"""Rows of one transaction."""
GENERATOR = np.random.default_rng(3)
FIRST = Context(GENERATOR.normal(size=(50, 10)), GENERATOR.normal(size=50))
ONE, QUERY = Context(FIRST.x[:1], FIRST.y[:1]), FIRST.x[:10]

Seconds = dict[int, dict[str, list[float]]]
"""Of every time, by number of contexts and by what was done."""


class Filled:
    """A database with some contexts of one owner: one is made and taught, the others are its copies."""

    def __init__(self, path: Path, predictor: Predictor, model: str, count: int) -> None:
        self._database = Database.open(f"sqlite:///{path}")
        self._contexts = Contexts(self._database, predictor, max_contexts=2**31, ttl=YEAR)
        self._model = model
        self._ids = [self._contexts.create(OWNER, model, FIRST).id]
        self._copy(count - 1)

    def calls(self) -> Mapping[str, Callable[[], object]]:
        """What is timed, on a context somewhere among all."""
        there = random.choice(self._ids)  # noqa: S311
        return {
            "observe": lambda: self._contexts.observe(OWNER, there, ONE),
            "predict": lambda: self._contexts.predict(OWNER, there, QUERY),
            "make and remove": lambda: self._contexts.delete(OWNER, self._contexts.create(OWNER, self._model).id),
        }

    def export(self) -> bytes:
        """Write the first of them down."""
        return self._contexts.export(OWNER, self._ids[0])[0]

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _copy(self, count: int) -> None:
        with self._database.reading() as connection:
            taught = connection.execute(select(CONTEXTS)).one()._asdict()
        for start in range(0, count, BATCH):
            names = [secrets.token_hex(16) for _ in range(min(BATCH, count - start))]
            with self._database.transaction() as connection:
                connection.execute(insert(CONTEXTS), [{**taught, "id": name} for name in names])
            self._ids += names


def among(model: str, counts: Sequence[int], rounds: int) -> Seconds:
    """Do everything once in every database, and again in every round."""
    predictor = Predictor(Repository.load([ZOO], threads=1), model, UNLIMITED)
    seconds: Seconds = {count: {} for count in counts}
    with TemporaryDirectory() as directory, ExitStack() as stack:
        filled = {
            count: stack.enter_context(closing(Filled(Path(directory) / f"{count}.db", predictor, model, count)))
            for count in counts
        }
        for _ in range(rounds):
            for count, contexts in filled.items():
                for name, call in contexts.calls().items():
                    start = time.perf_counter()
                    call()
                    seconds[count].setdefault(name, []).append(time.perf_counter() - start)
    return seconds
