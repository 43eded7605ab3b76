"""`create_app(settings)`: wiring only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi_offline import FastAPIOffline

from service.access.keyring import KeyRing, keys_required
from service.access.keys import Keys
from service.api import (
    context_state,
    contexts,
    errors,
    evaluations,
    health,
    metrics,
    models,
    page,
    predict,
    stream,
    traces,
)
from service.api.admission import Admission
from service.api.keys import KeyGuard
from service.api.live import LiveConnections
from service.api.openapi import complete
from service.api.security_headers import SecurityHeaders
from service.api.served import Parts, serve
from service.api.signals import Signals
from service.api.sweeping import sweeping
from service.api.v2 import routes as protocol
from service.api.watching import watching
from service.api.work import Pool
from service.contexts.contexts import Contexts
from service.evaluations.jobs import Evaluations
from service.evaluations.ledger import Ledger
from service.models.repository import Repository
from service.predictor import Limits, Predictor
from service.settings import Settings
from service.signals.metrics import Exposition, Metrics
from service.store.context_count import ContextCount
from service.store.database import Database
from service.store.unloaded import StoredUnloaded


def create_app(settings: Settings) -> FastAPI:
    """Wire the service together; its models load when the server starts it, and until then it is not ready."""
    numbers, count, provider = Metrics(), ContextCount(), traces.provider_from_environment()
    parts = Parts(
        settings,
        _predictor(settings, Repository()),
        Pool(settings.pool_threads, numbers.waiting),
        numbers,
        Exposition(numbers, {"contexts": ("Contexts in the database.", count.read)}),
    )
    if provider is not None:
        parts.pool.watch = traces.step_spans(provider)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        database = await run_in_threadpool(Database.open, settings.database_url)
        unloaded = StoredUnloaded(database)
        repository = await run_in_threadpool(
            Repository.load, settings.directories, settings.threads, unloaded, numbers.model_event
        )
        parts.predictor = _predictor(settings, repository)
        if keys_required(settings):
            parts.keys = await run_in_threadpool(KeyRing.open, Keys(database))
        count.database = database
        parts.contexts = Contexts(database, parts.predictor, settings.max_contexts, settings.context_ttl)
        ledger = Ledger(database, settings.max_evaluations, settings.context_ttl)
        parts.evaluations = Evaluations(ledger, repository, settings.directories, settings.evaluation_timeout)
        parts.evaluations.start()
        async with watching(repository), sweeping(parts.contexts):
            yield
        await run_in_threadpool(parts.evaluations.stop)
        parts.pool.close()
        database.close()
        traces.flush(provider)

    app = FastAPIOffline(
        redoc_url=None,
        title="gdssm",
        version=version("gdssm"),
        summary="In-context regression: send observations and queries, get predictions. No training, no rows kept.",
        lifespan=lifespan,
        telemetry=traces.telemetry(provider),
        redirect_slashes=False,
    )
    serve(app, parts)
    errors.install(app)
    app.add_middleware(KeyGuard, parts=parts)  # innermost first
    app.add_middleware(LiveConnections, most=settings.max_in_flight, stopping=parts.stopping, metrics=numbers)
    app.add_middleware(Admission, settings=settings, metrics=numbers)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Signals, metrics=numbers, timeout=settings.request_timeout)
    for module in (predict, context_state, contexts, stream, evaluations, protocol, models, health, metrics, page):
        app.include_router(module.router)
    complete(app, required=keys_required(settings))
    return app


def _predictor(settings: Settings, repository: Repository) -> Predictor:
    limits = Limits(settings.max_columns, settings.max_predictions, settings.max_observations)
    return Predictor(repository, settings.default_model, limits)
