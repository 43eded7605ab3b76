"""The client: predictions, contexts, models and evaluations of a service, or of one in this process."""

import time
from collections.abc import Iterator
from typing import Self

from pydantic import SecretStr

from service.client.answers import ContextRecord, EvaluationRecord
from service.client.calls import Calls
from service.client.context_calls import ContextCalls, ContextsCalls
from service.client.evaluation_calls import POLL_INTERVAL, EvaluationCalls, EvaluationsCalls
from service.client.sending import Resource, Sender, Sent, paging, sent
from service.client.sessions import Connection, Session
from service.evaluations.result import ScoreView


class Client(Sender[Session]):
    """Asks a service; to be closed, or used as `with Client(…) as client:`.

    It may be used from several threads at a time. What is refused for a moment (429, 502, 503, 504) or breaks off is
    tried again, after the Retry-After that the service sends; every change bears an Idempotency-Key, so that it counts
    once.

    Args:
        url: Of the service, as `http://127.0.0.1:8000`; left out, a service in this process answers, with the models
            that ship and a database of its own in memory.
        api_key: If the service asks for one; `"env"` is the one in GDSSM_API_KEY. It is never printed.
        timeout: Seconds to wait for a connection, and for an answer.
        retries: How often a call is tried again.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | SecretStr | None = None,
        timeout: float = 60.0,
        retries: int = 4,
    ) -> None:
        super().__init__(Session(Connection.to(url, api_key, timeout, retries)), Calls())
        self.contexts = Contexts(self._session, ContextsCalls())
        self.evaluations = Evaluations(self._session, EvaluationsCalls())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    predict = sent(Calls.predict)
    models = sent(Calls.models)
    model = sent(Calls.model)
    infer = sent(Calls.infer)


class Context(Resource[Session, ContextRecord]):
    """A context that lives on the service."""

    def __init__(self, session: Session, record: ContextRecord) -> None:
        super().__init__(session, ContextCalls(record))

    observe = sent(ContextCalls.observe)
    predict = sent(ContextCalls.predict)
    merge = sent(ContextCalls.merge)
    refresh = sent(ContextCalls.refresh)
    export = sent(ContextCalls.export)
    delete = sent(ContextCalls.delete)


class Contexts(Sender[Session]):
    """The contexts under this key."""

    create = Sent(ContextsCalls.create, Context)
    get = Sent(ContextsCalls.get, Context)
    load = Sent(ContextsCalls.load, Context)
    list = Sent(ContextsCalls.list, paging(Context))


class Evaluation(Resource[Session, EvaluationRecord]):
    """An evaluation that runs on the service."""

    def __init__(self, session: Session, record: EvaluationRecord) -> None:
        super().__init__(session, EvaluationCalls(record))

    refresh = sent(EvaluationCalls.refresh)
    cancel = sent(EvaluationCalls.cancel)

    def results(self) -> Iterator[ScoreView]:
        """Yield every result, as soon as there is one; ends with the evaluation."""
        seen = 0
        while True:
            record = self.refresh()
            yield from record.results[seen:]
            seen = len(record.results)
            if record.is_finished:
                return
            time.sleep(POLL_INTERVAL)

    def wait(self) -> EvaluationRecord:
        """Wait for its end; returns it with all of its results."""
        for _ in self.results():
            pass
        return self.record


class Evaluations(Sender[Session]):
    """The evaluations under this key."""

    ask = Sent(EvaluationsCalls.ask, Evaluation)
    get = Sent(EvaluationsCalls.get, Evaluation)
    list = Sent(EvaluationsCalls.list, paging(Evaluation))
