"""The queue of evaluations on the server, run one at a time, each in a process that can be stopped at any time."""

import logging
import secrets
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from service.errors import DatabaseUnavailable
from service.evaluations.job_store import HEARTBEAT_TIMEOUT, JobStore
from service.evaluations.process import JobSpec, WorkerProcess
from service.evaluations.request import EvaluationRequest
from service.registry.repository import Repository
from service.schemas.evaluations import EvaluatedModel, EvaluationAnswer

logger = logging.getLogger(__name__)


class EvaluationQueue:
    """Queues evaluations, and runs them in the background between `start` and `stop`.

    Args:
        store: Evaluations in the database.
        repository: The models that can be evaluated.
        directories: Of the model files.
        timeout: Seconds for one evaluation.
        poll_interval: Seconds between two checks of the queue. Heartbeats and checks of the running evaluation are as
            frequent, and frequent enough that no other runner claims it.
    """

    def __init__(
        self,
        store: JobStore,
        repository: Repository,
        directories: Sequence[Path],
        timeout: float,
        poll_interval: float = 0.5,
    ) -> None:
        self.store = store
        self._repository = repository
        self._directories = directories
        self._timeout = timeout
        self._poll_interval = poll_interval
        self._heartbeat_interval = min(poll_interval, HEARTBEAT_TIMEOUT / 3)
        self._runner = secrets.token_hex(8)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run_queue, name="evaluations", daemon=True)

    def submit(self, owner: str, request: EvaluationRequest) -> EvaluationAnswer:
        """Queue an evaluation of the current versions of models.

        Raises:
            UnknownModel: One of them is not served.
            QuotaExceeded: The owner has too many that are not finished.
        """
        from gdssm.evaluation.references import REFERENCES  # noqa: PLC0415  (a service starts without the learners)

        manifests = [self._repository.get(name).manifest for name in request.models]
        models = [EvaluatedModel(name=m.name, version=m.version, sha256=m.file_sha256) for m in manifests]
        total = len(request.distributions()) * (len(models) + len(REFERENCES))
        return self.store.add(owner, request, models, total)

    def start(self) -> None:
        """Start to run queued evaluations."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; an unfinished evaluation is queued again."""
        self._stopping.set()
        self._thread.join()

    def _run_queue(self) -> None:
        while not self._stopping.wait(self._poll_interval):
            try:
                record = self.store.claim(self._runner)
                if record is not None:
                    self._run(record)
            except DatabaseUnavailable as error:
                logger.warning("evaluations wait: %s", error)
            except Exception:  # the next evaluation runs whatever the error of this one
                logger.exception("an evaluation could not be run")

    def _run(self, record: EvaluationAnswer) -> None:
        versions = {model.name: model.version for model in record.models}
        spec = JobSpec(request=self.store.request(record.id), directories=tuple(self._directories), versions=versions)
        began = last_heartbeat = time.monotonic()
        number = 0
        with WorkerProcess(spec) as process:
            for result in process.results(self._heartbeat_interval):
                if result is not None:
                    self.store.append(record.id, number, result)
                    number += 1
                if self._stopping.is_set():
                    return self.store.requeue(record.id, self._runner)
                now = time.monotonic()
                if now > began + self._timeout:
                    return self.store.finish(record.id, f"It took longer than {self._timeout:g} seconds.")
                if now >= last_heartbeat + self._heartbeat_interval:  # however fast the results come
                    last_heartbeat = now
                    if not self.store.heartbeat(record.id, self._runner):
                        return None
            return self.store.finish(record.id, process.failure())
