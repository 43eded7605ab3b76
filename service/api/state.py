"""The state of the app, built when the service starts and stored as `app.state.service`."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import Scope

from service.access.keyring import KeyRing
from service.api.executor import Executor
from service.contexts.service import Contexts
from service.errors import NotReady
from service.evaluations.jobs import EvaluationQueue
from service.inference.predictor import Predictor
from service.observability.metrics import MetricsRenderer
from service.server.stopping import Stopping
from service.settings import Settings
from service.store.database import Database

STATE_KEY = "gdssm.state"
"""The key of the scope of a request whose state has been looked up."""


@dataclass(frozen=True)
class AppState:
    """The parts of a running service."""

    settings: Settings
    stopping: Stopping
    database: Database
    predictor: Predictor
    executor: Executor
    metrics: MetricsRenderer
    contexts: Contexts
    evaluations: EvaluationQueue
    keys: KeyRing | None
    """None if callers need no key."""

    def check_ready(self) -> None:
        """Check that the service can handle requests and is not stopping.

        Raises:
            NotReady: The default model is not loaded, or the service is stopping.
            DatabaseUnavailable: The file of the database was deleted or replaced.
        """
        self.stopping.check()
        self.database.check_file()
        self.predictor.check_ready()


def state_in(scope: Scope) -> AppState:
    """Return the state of the app that handles a request.

    Raises:
        NotReady: The service is still starting.
    """
    state: AppState | None = scope.get(STATE_KEY) or getattr(scope["app"].state, "service", None)
    if state is None:
        raise NotReady("The service is starting. Try again in a moment.")
    scope[STATE_KEY] = state  # a request asks three times; `app.state` takes ten times as long as a dictionary
    return state


def state_of(request: HTTPConnection) -> AppState:
    """Return the state of the app that handles a request; raises the errors of `state_in`."""
    return state_in(request.scope)
