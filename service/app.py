"""`create_app(settings)`: wiring only; `lifecycle` builds the state of the app when the server starts it."""

from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp

from service.access.keyring import keys_required
from service.access.sites import origins_of
from service.api import errors, traces
from service.api.endpoint import EndpointTable
from service.api.middleware.access import AccessGuard
from service.api.middleware.admission import Admission, Capacity, body_capacity
from service.api.middleware.cross_origin import CrossOrigin
from service.api.middleware.head import HeadAsGet
from service.api.middleware.observability import ObservabilityMiddleware
from service.api.middleware.prefix import AddPrefix, StripPrefix
from service.api.middleware.security_headers import PagePolicy
from service.api.middleware.websockets import WebSocketLimiter
from service.api.openapi import complete
from service.api.route_templates import RouteTemplates
from service.api.routes import (
    assess,
    batches,
    context_names,
    context_state,
    contexts,
    evaluations,
    health,
    metrics,
    models,
    page,
    predict,
    stream,
    tables,
)
from service.api.routes.v2 import routes as protocol
from service.lifecycle import lifespan
from service.observability.metrics import Metrics
from service.server.allocator import FreeMemory
from service.server.stopping import Stopping
from service.settings import Settings
from service.store.database import Database

ROUTERS = (
    *(predict.router, tables.router, assess.router, evaluations.router),
    *(context_names.router, batches.router, context_state.router, contexts.router),
    *(*protocol.PROTOCOL_ROUTERS, models.router, health.router, metrics.router),
)
"""In the order in which addresses are matched."""
ENDPOINTS = [endpoint for router in ROUTERS for endpoint in router.endpoints]


def create_app(
    settings: Settings,
    database: Database | None = None,
    stopping: Stopping | None = None,
    bodies: Capacity | None = None,
) -> FastAPI:
    """Create the app; until its lifespan has built its state, requests that need it are answered with 503.

    Args:
        settings: Of the service.
        database: An open database, which the app closes at its end; by default that of the settings.
        stopping: Reports that the service is stopping.
        bodies: Limits the bytes of bodies in flight; by default that of the settings.
    """
    metrics_, stopping = Metrics(counts_keys=settings.key_usage), stopping or Stopping()
    provider = traces.provider_from_environment()
    bodies = bodies or body_capacity(settings)
    app = FastAPIOffline(
        redoc_url=None,
        title="gdssm",
        version=version("gdssm"),
        summary="In-context regression: send observations and queries, get predictions. No training, no rows kept.",
        lifespan=partial(
            lifespan,
            settings=settings,
            metrics=metrics_,
            stopping=stopping,
            provider=provider,
            database=database,
            free_memory=FreeMemory(bodies),
        ),
        telemetry=traces.telemetry(provider),
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        servers=[{"url": settings.root_path or "/"}],
        contact={"name": "gdssm developers"},
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    errors.install(app)
    for router in (*ROUTERS, stream.router, page.router):
        app.include_router(router)
    complete(app, ENDPOINTS, required=keys_required(settings))

    # Middleware, the innermost first, around FastAPI's own.
    has_prefix = bool(settings.root_path) or settings.forwarded_prefix
    stack: ASGIApp = app.build_middleware_stack()
    stack = AddPrefix(stack) if has_prefix else stack
    pages = PagePolicy(stack)
    websockets = WebSocketLimiter(stack, settings.max_in_flight, stopping, metrics_, settings.max_share)
    by_kind: dict[str, ASGIApp] = {"GET": pages, "HEAD": HeadAsGet(pages), "websocket": websockets}
    stack = EndpointTable(stack, ENDPOINTS, by_kind, traced=provider is not None)
    stack = AccessGuard(stack, settings)
    stack = Admission(stack, settings, metrics_, bodies)
    origins = origins_of(settings)
    stack = CrossOrigin(stack, origins) if origins else stack
    stack = ObservabilityMiddleware(stack, metrics_, settings.request_timeout, RouteTemplates(app))
    app.middleware_stack = StripPrefix(stack, settings) if has_prefix else stack
    return app
