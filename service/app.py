"""`create_app(settings)`: wiring only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi_offline import FastAPIOffline

from service.api import errors, health, models, predict
from service.api.served import Parts, serve
from service.api.work import Pool
from service.contexts import Contexts
from service.predictor import Limits, Predictor
from service.repository import Repository
from service.settings import Settings
from service.store.database import Database


def create_app(settings: Settings) -> FastAPI:
    """Wire the service together; its models load when the server starts it, and until then it is not ready."""
    parts = Parts(settings, _predictor(settings, Repository({})), Pool())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        repository = await run_in_threadpool(Repository.load, settings.zoo, settings.threads)
        parts.predictor = _predictor(settings, repository)
        database = await run_in_threadpool(Database.open, settings.database_url)
        parts.contexts = Contexts(database, parts.predictor, settings.max_contexts, settings.context_ttl)
        yield
        database.close()

    app = FastAPIOffline(
        redoc_url=None,
        title="gdssm",
        version=version("gdssm"),
        summary="In-context regression: send observations and queries, get predictions. No training, no data kept.",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    serve(app, parts)
    errors.install(app)
    for module in (predict, models, health):
        app.include_router(module.router)
    return app


def _predictor(settings: Settings, repository: Repository) -> Predictor:
    limits = Limits(settings.max_columns, settings.max_predictions)
    return Predictor(repository, settings.default_model, limits)
