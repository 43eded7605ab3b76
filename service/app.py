"""`create_app(settings)`: wiring only."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi_offline import FastAPIOffline
from opentelemetry.trace import TracerProvider
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from service.access.keyring import KeyRing, keys_required
from service.access.keys import Keys
from service.access.sites import Sites
from service.api import errors, traces
from service.api.direct import Direct
from service.api.executor import Executor
from service.api.middleware.admission import Admission, bound_of_bodies
from service.api.middleware.authentication import KeyGuard
from service.api.middleware.head import HeadAsGet
from service.api.middleware.observability import ObservabilityMiddleware
from service.api.middleware.prefix import WithoutPrefix, WithPrefix
from service.api.middleware.security_headers import PagePolicy
from service.api.middleware.sites import SiteGuard
from service.api.middleware.websockets import WebSocketLimiter
from service.api.openapi import complete
from service.api.routes import context_state, contexts, evaluations, health, metrics, models, page, predict, stream
from service.api.routes.v2 import routes as protocol
from service.api.served import AppState, serve
from service.api.templates import Templates
from service.api.upkeep import every
from service.contexts.contexts import Contexts
from service.evaluations.job_store import JobStore
from service.evaluations.jobs import Evaluations
from service.observability.metrics import Metrics, MetricsRenderer
from service.predictor import Limits, Predictor
from service.registry.repository import Repository
from service.settings import Settings
from service.store.context_count import ContextCount
from service.store.database import Database
from service.store.disabled_models import DatabaseDisabledModels

SWEEP = 60.0
"""Seconds between two removals of what has expired; that it is expired shows at once, wherever it is looked up."""


def create_app(settings: Settings, database: Database | None = None) -> FastAPI:
    """Wire the service together; its models load when the server starts it, and until then it is not ready.

    Args:
        settings: Of the service.
        database: Open already, and closed at the end; that of the settings is opened at the start if it is left out.
    """
    numbers, count, provider = Metrics(), ContextCount(), traces.provider_from_environment()
    parts = AppState(
        settings,
        _predictor(settings, Repository()),
        Executor(settings.pool_threads, numbers.waiting, settings.max_share, settings.inline_seconds),
        numbers,
        MetricsRenderer(numbers, {"contexts": ("Contexts in the database.", count.read)}),
        bound_of_bodies(settings),
    )
    if provider is not None:
        parts.pool.watch = traces.step_spans(provider)

    app = FastAPIOffline(
        redoc_url=None,
        title="gdssm",
        version=version("gdssm"),
        summary="In-context regression: send observations and queries, get predictions. No training, no rows kept.",
        lifespan=lambda _: _running(parts, count, provider, database),
        telemetry=traces.telemetry(provider),
        redirect_slashes=False,
    )
    serve(app, parts)
    errors.install(app)
    for module in (predict, context_state, contexts, stream, evaluations, protocol, models, health, metrics, page):
        app.include_router(module.router)
    complete(app, required=keys_required(settings))
    direct = () if parts.traced else [*predict.router.routes, *contexts.router.routes]
    app.middleware_stack = _before(app.build_middleware_stack(), parts, direct, Templates(app))
    return app


@asynccontextmanager
async def _running(
    parts: AppState, count: ContextCount, provider: TracerProvider | None, database: Database | None
) -> AsyncIterator[None]:
    """Open everything, and close it again when the server leaves."""
    settings = parts.settings
    if database is None:
        database = await run_in_threadpool(Database.open, settings.database_url)
    load = partial(Repository.load, unloaded=DatabaseDisabledModels(database), on_event=parts.metrics.model_event)
    repository = await run_in_threadpool(load, settings.directories, settings.threads)
    parts.predictor = _predictor(settings, repository)
    if keys_required(settings):
        parts.keys = await run_in_threadpool(KeyRing.open, Keys(database))
    parts.database = count.database = database
    parts.contexts = Contexts(database, parts.predictor, settings.max_contexts, settings.context_ttl)
    store = JobStore(database, settings.max_evaluations, settings.context_ttl)
    parts.evaluations = Evaluations(
        store, repository, settings.directories, settings.evaluation_timeout, settings.poll_interval
    )
    parts.evaluations.start()
    async with (
        # Polled: network file systems and the mounts that Kubernetes swaps send no notices of changed files.
        every(settings.poll_interval, repository.rescan),
        every(settings.poll_interval, parts.metrics.count),
        every(SWEEP, parts.contexts.sweep),
    ):
        yield
    parts.metrics.count()
    await run_in_threadpool(parts.evaluations.stop)
    parts.pool.close()
    database.close()
    traces.flush(provider)


def _before(app: ASGIApp, parts: AppState, direct: Iterable[BaseRoute], templates: Templates) -> ASGIApp:
    """Put in front of the framework what every request passes, the innermost first."""
    settings, numbers = parts.settings, parts.metrics
    behind_path = bool(settings.root_path) or settings.forwarded_prefix
    app = PagePolicy(WithPrefix(app) if behind_path else app)
    app = HeadAsGet(app)
    app = WebSocketLimiter(app, settings.max_in_flight, parts.stopping, numbers, settings.max_share)
    app = Direct(app, direct)
    app = KeyGuard(app, parts)
    app = Admission(app, settings, numbers, parts.bodies)
    sites = Sites(settings)
    if sites.checks_names or sites.checks_pages:
        app = SiteGuard(app, sites)
    app = ObservabilityMiddleware(app, numbers, settings.request_timeout, templates)
    return WithoutPrefix(app, settings) if behind_path else app


def _predictor(settings: Settings, repository: Repository) -> Predictor:
    limits = Limits(settings.max_columns, settings.max_predictions, settings.max_observations)
    return Predictor(repository, settings.default_model, limits)
