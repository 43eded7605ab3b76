"""The lifespan of the app: builds its state at the start of the server, and closes it at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from opentelemetry.trace import TracerProvider

from service.access.keyring import KeyRing, keys_required
from service.access.keys import Keys
from service.access.usage import UsageStore
from service.api import traces
from service.api.combining import ObservationCombiner
from service.api.executor import Executor
from service.api.periodic import run_periodically
from service.api.state import AppState
from service.contexts.quota import ContextCount
from service.contexts.service import ContextService
from service.errors import DatabaseUnavailable
from service.evaluations.job_store import JobStore
from service.evaluations.jobs import EvaluationQueue
from service.inference.checks import Limits
from service.inference.predictor import Predictor
from service.observability.metrics import Metrics, MetricsRenderer
from service.registry.database_disabled_models import DatabaseDisabledModels
from service.registry.repository import Repository
from service.server.allocator import FreeMemory
from service.server.stopping import Stopping
from service.settings import Settings
from service.store.availability import CHECK_INTERVAL, Availability
from service.store.database import Database

USAGE_INTERVAL = 10.0
"""Seconds between two writes of the use of keys."""
EXPIRY_INTERVAL = 60.0
"""Seconds between two deletions of expired contexts; lookups never return an expired one."""


@asynccontextmanager
async def lifespan(
    app: FastAPI,
    settings: Settings,
    *,
    metrics: Metrics,
    stopping: Stopping,
    provider: TracerProvider | None,
    database: Database | None,
    free_memory: FreeMemory,
) -> AsyncIterator[None]:
    """Build the state of the app, run periodic work, and close the state at the end.

    Args:
        app: Receives the state.
        settings: Of the service.
        metrics: Of this process.
        stopping: Reports that the service is stopping.
        provider: Of spans; None if requests are not traced.
        database: An open database; None opens that of the settings.
        free_memory: Releases memory to the system.
    """
    state = await run_in_threadpool(partial(_open, settings, metrics, stopping, provider, database))
    app.state.service = state
    state.evaluations.start()
    store_usage = partial(metrics.keys.store, UsageStore(state.database).add)
    async with (
        # Polled, because network file systems and the mounts of Kubernetes do not report changed files.
        run_periodically(settings.poll_interval, state.predictor.repository.rescan),
        run_periodically(settings.poll_interval, metrics.count),
        run_periodically(settings.poll_interval, free_memory.release),
        run_periodically(USAGE_INTERVAL, store_usage),
        run_periodically(CHECK_INTERVAL, state.availability.check),
        run_periodically(EXPIRY_INTERVAL, lambda: state.contexts.sweep(lambda: stopping.begun)),
    ):
        yield
    metrics.count()
    with suppress(DatabaseUnavailable):  # already logged
        await run_in_threadpool(store_usage)
    await run_in_threadpool(state.evaluations.stop)
    state.executor.close()
    state.database.close()
    traces.flush(provider)


def _open(
    settings: Settings,
    metrics: Metrics,
    stopping: Stopping,
    provider: TracerProvider | None,
    database: Database | None,
) -> AppState:
    """Build the state; blocks until the database and the models are loaded."""
    database = database or Database.open(settings.database_url, settings.database_connections)
    database.exchange_notices()
    disabled = DatabaseDisabledModels(database)
    repository = Repository.load(settings.directories, settings.threads, disabled, metrics.model_event)
    limits = Limits(settings.max_columns, settings.max_predictions, settings.max_observations)
    predictor = Predictor(repository, settings.default_model, limits)
    jobs = JobStore(database, settings.max_evaluations, settings.context_ttl)
    availability = Availability(database)
    shared_gauges = {
        "contexts": ("Contexts in the database.", ContextCount(database, availability.is_up).read),
        "database_up": ("Whether the database answers this process: 1 or 0.", availability.is_up),
    }
    executor = Executor(
        settings.pool_threads,
        metrics.waiting,
        settings.max_share,
        settings.inline_seconds,
        None if provider is None else traces.step_spans(provider),
    )
    contexts = ContextService(database, predictor, settings.max_contexts, settings.context_ttl)
    return AppState(
        settings=settings,
        stopping=stopping,
        database=database,
        availability=availability,
        predictor=predictor,
        executor=executor,
        metrics=MetricsRenderer(metrics, shared_gauges),
        contexts=contexts,
        combiner=ObservationCombiner(contexts, executor),
        evaluations=EvaluationQueue(
            jobs, repository, settings.directories, settings.evaluation_timeout, settings.poll_interval
        ),
        keys=KeyRing.open(Keys(database), 4 * settings.poll_interval) if keys_required(settings) else None,
    )
