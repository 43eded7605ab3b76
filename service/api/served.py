"""What every route works with: the parts of a running service, as parameters of a route."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from service.api.work import Pool
from service.caller import EVERYBODY, Caller
from service.contexts import Contexts
from service.errors import NotReady
from service.predictor import Predictor
from service.settings import Settings


@dataclass
class Parts:
    """The parts of a running service."""

    settings: Settings
    predictor: Predictor
    pool: Pool
    contexts: Contexts | None = None
    """None until the lifespan has opened the database."""


def serve(app: FastAPI, parts: Parts) -> None:
    """Put the parts where the routes find them."""
    app.state.parts = parts


def parts_of(request: HTTPConnection) -> Parts:
    """Find the parts of the app that a request came to."""
    parts: Parts = request.app.state.parts
    return parts


async def _predictor(request: HTTPConnection) -> Predictor:
    return parts_of(request).predictor


async def _pool(request: HTTPConnection) -> Pool:
    return parts_of(request).pool


async def _contexts(request: HTTPConnection) -> Contexts:
    contexts = parts_of(request).contexts
    if contexts is None:
        raise NotReady("The database is not open yet. Try again in a moment.")
    return contexts


async def _caller(request: HTTPConnection) -> Caller:
    caller: Caller = request.scope.get("state", {}).get("caller", EVERYBODY)
    return caller


Served = Annotated[Predictor, Depends(_predictor)]
"""The predictor."""
Working = Annotated[Pool, Depends(_pool)]
"""Where the route's work runs."""
Kept = Annotated[Contexts, Depends(_contexts)]
"""The contexts that live here."""
Calling = Annotated[Caller, Depends(_caller)]
"""Who asks."""
