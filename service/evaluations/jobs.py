"""Evaluations that run on the server, one at a time, each in a process of its own that can be stopped at any moment."""

import logging
import secrets
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from service.errors import DatabaseUnavailable
from service.evaluations.job_store import EvaluationRecord, JobStore
from service.evaluations.process import JobSpec, Process
from service.evaluations.request import EvaluationRequest
from service.registry.repository import Repository

logger = logging.getLogger(__name__)


class Evaluations:
    """Queues evaluations, and works them off in the background between `start` and `stop`.

    Args:
        store: Where they are stored.
        repository: The models that may be asked for.
        directories: Where a worker finds their files.
        timeout: Seconds that one evaluation may take.
        poll_interval: Seconds between two checks of the queue, and between two heartbeats.
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
        self._runner = secrets.token_hex(8)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="evaluations", daemon=True)

    def submit(self, owner: str, request: EvaluationRequest) -> EvaluationRecord:
        """Queue an evaluation of the models as they are now.

        Raises:
            UnknownModel: One of them is not served.
            QuotaExceeded: The owner has too many that are not finished.
        """
        from gdssm.evaluation.references import REFERENCES  # noqa: PLC0415  (a service starts without the learners)

        manifests = [self._repository.get(name).manifest for name in request.models]
        models = [{"name": m.name, "version": m.version, "sha256": m.file_sha256} for m in manifests]
        total = len(request.distributions()) * (len(models) + len(REFERENCES))
        return self.store.add(owner, request, models, total)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """End the work; an evaluation that is not finished goes back to the queue."""
        self._stopping.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopping.wait(self._poll_interval):
            try:
                record = self.store.claim(self._runner)
                if record is not None:
                    self._run(record)
            except DatabaseUnavailable as error:
                logger.warning("evaluations wait: %s", error)
            except Exception:  # whatever goes wrong with one evaluation, the next one has its turn
                logger.exception("an evaluation could not be run")

    def _run(self, record: EvaluationRecord) -> None:
        versions = {model["name"]: model["version"] for model in record.models}
        spec = JobSpec(request=record.request, directories=tuple(self._directories), versions=versions)
        begun = looked = time.monotonic()
        number = 0
        with Process(spec) as process:
            for result in process.results(self._poll_interval):
                if result is not None:
                    self.store.append(record.id, number, result)
                    number += 1
                if self._stopping.is_set():
                    return self.store.requeue(record.id, self._runner)
                now = time.monotonic()
                if now > begun + self._timeout:
                    return self.store.finish(record.id, f"It took longer than {self._timeout:g} seconds.")
                if now >= looked + self._poll_interval:  # however fast the results come
                    looked = now
                    if not self.store.heartbeat(record.id, self._runner):
                        return None
            return self.store.finish(record.id, process.failure())
