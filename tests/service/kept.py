"""Contexts on a database, with a clock that tests can move."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.column_names import ColumnNames
from service.contexts.records import StreamStep
from service.contexts.requests import StepRequest
from service.contexts.service import ContextService
from service.errors import ServiceError
from service.inference.checks import Limits
from service.inference.distribution import NOTHING, Wanted
from service.inference.predictor import Observations, Predictor
from service.inference.sizes import Array
from service.registry.repository import Repository
from service.store.database import Database

OWNER, OTHER_OWNER = "a key", "another key"


@dataclass
class Clock:
    """A clock that tests set."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 1e-4
        return self.now


def step_of(
    contexts: ContextService,
    owner: str,
    name: str,
    new: Observations | None,
    query: Array | None,
    wanted: Wanted = NOTHING,
    columns: ColumnNames | None = None,
) -> StreamStep:
    """Predict, then learn an observation, if there is one."""
    if new is None:
        assert query is not None
        return contexts.predict_step(owner, name, query, wanted, columns=columns)
    request = StepRequest(owner, name, new, write=lambda step: step, query=query, wanted=wanted)
    (result,) = contexts.observe_many([request])
    if isinstance(result, ServiceError):
        raise result
    step: StreamStep = result
    return step


def keep(
    database: Database, repository: Repository, clock: Clock, *, max_contexts: int = 1000, ttl: int = 1000
) -> ContextService:
    """Contexts of a small service."""
    limits = Limits(max_columns=30, max_predictions=100, max_observations=500)
    return ContextService(database, Predictor(repository, "linear", limits), max_contexts, ttl, clock)


def draw(seed: int, length: int = 7, inputs: int = 5, outputs: int = 3) -> Observations:
    """Observations of some linear relation."""
    generator = np.random.default_rng(seed)
    relation = np.random.default_rng(0).normal(size=(inputs, outputs))
    x = generator.normal(size=(length, inputs))
    return Observations(x, x @ relation + 0.1 * generator.normal(size=(length, outputs)))


def part(context: Observations, rows: slice | NDArray[np.intp]) -> Observations:
    """Some of the observations."""
    return Observations(context.x[rows], context.y[rows], None if context.weight is None else context.weight[rows])


def weighed(context: Observations, weight: Array | float) -> Observations:
    """The same observations with other weights."""
    return Observations(context.x, context.y, np.broadcast_to(np.asarray(weight, float), len(context.x)).copy())


def both(first: Observations, second: Observations) -> Observations:
    """The observations of one, then of the other."""
    weights = [np.ones(len(c.x)) if c.weight is None else c.weight for c in (first, second)]
    return Observations(
        np.concatenate([first.x, second.x]), np.concatenate([first.y, second.y]), np.concatenate(weights)
    )
