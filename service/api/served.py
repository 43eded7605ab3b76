"""What every route works with: the parts of a running service, as parameters of a route."""

from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from service.access.caller import Caller
from service.access.keyring import KeyRing
from service.api.work import Pool
from service.contexts.contexts import Contexts
from service.errors import Forbidden, NotReady
from service.evaluations.jobs import Evaluations
from service.predictor import Predictor
from service.running.stopping import Stopping
from service.settings import Settings
from service.signals.metrics import Exposition, Metrics

Part = TypeVar("Part")


@dataclass
class Parts:
    """The parts of a running service."""

    settings: Settings
    predictor: Predictor
    pool: Pool
    metrics: Metrics
    exposition: Exposition
    stopping: Stopping = field(default_factory=Stopping)
    contexts: Contexts | None = None
    """None until the lifespan has opened the database."""
    evaluations: Evaluations | None = None
    """Likewise."""
    keys: KeyRing | None = None
    """None until then, and where callers need no key."""

    def check_ready(self) -> None:
        """See that requests can be answered, and go on being answered for a while.

        Raises:
            NotReady: They cannot.
        """
        self.stopping.check()
        self.predictor.check_ready()


def serve(app: FastAPI, parts: Parts) -> None:
    """Put the parts where the routes find them: not in `app.state`, which takes ten times as long to look into."""
    vars(app)["parts"] = parts


def parts_in(app: FastAPI) -> Parts:
    """Find the parts of an app."""
    parts: Parts = vars(app)["parts"]
    return parts


def parts_of(request: HTTPConnection) -> Parts:
    """Find the parts of the app that a request came to."""
    return parts_in(request.scope["app"])


async def _parts(request: HTTPConnection) -> Parts:
    return parts_of(request)


async def _predictor(request: HTTPConnection) -> Predictor:
    return parts_of(request).predictor


async def _pool(request: HTTPConnection) -> Pool:
    return parts_of(request).pool


async def _contexts(request: HTTPConnection) -> Contexts:
    return _open(parts_of(request).contexts)


async def _evaluations(request: HTTPConnection) -> Evaluations:
    return _open(parts_of(request).evaluations)


def _open(part: Part | None) -> Part:
    if part is None:
        raise NotReady("The database is not open yet. Try again in a moment.")
    return part


async def _caller(request: HTTPConnection) -> Caller:
    caller: Caller = request.scope["state"]["caller"]  # put there by `api.keys`; without it nobody may do anything
    return caller


async def _administrator(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    if not caller.admin:
        raise Forbidden("This needs a key with admin scope: python -m service keys create NAME --admin")
    return caller


Serving = Annotated[Parts, Depends(_parts)]
"""The running service as a whole."""
Served = Annotated[Predictor, Depends(_predictor)]
"""The predictor."""
Working = Annotated[Pool, Depends(_pool)]
"""Where the route's work runs."""
Kept = Annotated[Contexts, Depends(_contexts)]
"""The contexts that live here."""
Evaluating = Annotated[Evaluations, Depends(_evaluations)]
"""The evaluations that run here."""
Calling = Annotated[Caller, Depends(_caller)]
"""Who asks."""
Administering = Annotated[Caller, Depends(_administrator)]
"""Who asks, if they may administer; 403 for others."""
