"""What every route works with: the settings, and the predictor that the lifespan loads."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request

from service.predictor import Predictor
from service.settings import Settings


def serve(app: FastAPI, settings: Settings, predictor: Predictor) -> None:
    """Put both where the routes find them."""
    app.state.settings, app.state.predictor = settings, predictor


def settings_of(request: Request) -> Settings:
    """Find the settings of the app that a request came to."""
    settings: Settings = request.app.state.settings
    return settings


async def _predictor(request: Request) -> Predictor:
    predictor: Predictor = request.app.state.predictor
    return predictor


Served = Annotated[Predictor, Depends(_predictor)]
"""The predictor, as a parameter of a route."""
