"""What every route works with: the parts of a running service, as parameters of a route."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from service.access.caller import Caller
from service.access.keyring import KeyRing
from service.api.executor import Executor
from service.api.middleware.bounds import Bound
from service.contexts.contexts import Contexts
from service.errors import Forbidden
from service.evaluations.jobs import Evaluations
from service.observability.metrics import Metrics, MetricsRenderer
from service.predictor import Predictor
from service.server.stopping import Stopping
from service.settings import Settings
from service.store.database import Database

Found = TypeVar("Found")


@dataclass
class AppState:
    """The parts of a running service."""

    settings: Settings
    predictor: Predictor
    pool: Executor
    metrics: Metrics
    exposition: MetricsRenderer
    bodies: Bound
    """Bytes of bodies and messages."""
    stopping: Stopping = field(default_factory=Stopping)
    database: Database | None = None
    """None until the lifespan has opened it."""
    contexts: Contexts | None = None
    """None until then."""
    evaluations: Evaluations | None = None
    """Likewise."""
    keys: KeyRing | None = None
    """None until then, and where callers need no key."""

    @property
    def traced(self) -> bool:
        """Whether each request becomes a span, and each step of its work."""
        return self.pool.watch is not None

    def check_ready(self) -> None:
        """See that requests can be answered, and go on being answered for a while.

        Raises:
            NotReady: They cannot.
            DatabaseUnavailable: The file of the database was deleted or replaced.
        """
        self.stopping.check()
        if self.database is not None:
            self.database.check_file()
        self.predictor.check_ready()


class LookUp(Generic[Found]):
    """A dependency that is only looked up: FastAPI awaits it, `Direct` asks at once.

    Args:
        find: Takes the request; may raise a ServiceError.
    """

    def __init__(self, find: Callable[[HTTPConnection], Found]) -> None:
        self.find = find

    async def __call__(self, request: HTTPConnection) -> Found:
        """Find it."""
        return self.find(request)


def serve(app: FastAPI, parts: AppState) -> None:
    """Put the parts where the routes find them: not in `app.state`, which takes ten times as long to look into."""
    vars(app)["parts"] = parts


def parts_in(app: FastAPI) -> AppState:
    """Find the parts of an app."""
    parts: AppState = vars(app)["parts"]
    return parts


def parts_of(request: HTTPConnection) -> AppState:
    """Find the parts of the app that a request came to."""
    parts: AppState = request.scope["app"].parts
    return parts


def caller_of(request: HTTPConnection) -> Caller:
    """Find out who asks."""
    caller: Caller = request.scope["state"][
        "caller"
    ]  # put there by `api.middleware.authentication`; without it nobody may do anything
    return caller


async def _administrator(caller: Annotated[Caller, Depends(LookUp(caller_of))]) -> Caller:
    if not caller.admin:
        raise Forbidden("This needs a key with admin scope: python -m service keys create NAME --admin")
    return caller


StateDep = Annotated[AppState, Depends(LookUp(parts_of))]
"""The running service as a whole."""
PredictorDep = Annotated[Predictor, Depends(LookUp(lambda request: parts_of(request).predictor))]
"""The predictor."""
ExecutorDep = Annotated[Executor, Depends(LookUp(lambda request: parts_of(request).pool))]
"""Where the route's work runs."""
AdminDep = Annotated[Caller, Depends(_administrator)]
"""Who asks, if they may administer; 403 for others."""
