"""The state of the app, built when the service starts and stored as `app.state.service`."""

from dataclasses import dataclass

from service.access.keyring import KeyRing
from service.api.combining import ObservationCombiner
from service.api.executor import Executor
from service.contexts.service import ContextService
from service.evaluations.jobs import EvaluationQueue
from service.inference.predictor import Predictor
from service.observability.metrics import MetricsRenderer
from service.server.stopping import Stopping
from service.settings import Settings
from service.store.availability import Availability
from service.store.database import Database


@dataclass(frozen=True)
class AppState:
    """The parts of a running service."""

    settings: Settings
    stopping: Stopping
    database: Database
    availability: Availability
    predictor: Predictor
    executor: Executor
    metrics: MetricsRenderer
    contexts: ContextService
    combiner: ObservationCombiner
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
