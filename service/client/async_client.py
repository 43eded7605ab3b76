"""The client for asyncio and trio: what `client` has, to be awaited."""

from collections.abc import AsyncIterator
from typing import Self

import anyio
from pydantic import SecretStr

from service.client.answers import ContextRecord, EvaluationRecord
from service.client.calls import Calls
from service.client.context_calls import ContextCalls, ContextsCalls
from service.client.evaluation_calls import POLL_INTERVAL, EvaluationCalls, EvaluationsCalls
from service.client.sending import Awaited, Resource, Sender, awaited, paging
from service.client.sessions import AsyncSession, Connection
from service.evaluations.result import ScoreView


class AsyncClient(Sender[AsyncSession]):
    """Asks a service without holding anybody up; to be used as `async with AsyncClient(…) as client:`.

    Arguments, methods and what is tried again are those of `Client`.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | SecretStr | None = None,
        timeout: float = 60.0,
        retries: int = 4,
    ) -> None:
        super().__init__(AsyncSession(Connection.to(url, api_key, timeout, retries)), Calls())
        self.contexts = AsyncContexts(self._session, ContextsCalls())
        self.evaluations = AsyncEvaluations(self._session, EvaluationsCalls())

    async def __aenter__(self) -> Self:
        await self._session.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    predict = awaited(Calls.predict)
    models = awaited(Calls.models)
    model = awaited(Calls.model)
    infer = awaited(Calls.infer)


class AsyncContext(Resource[AsyncSession, ContextRecord]):
    """A context that lives on the service."""

    def __init__(self, session: AsyncSession, record: ContextRecord) -> None:
        super().__init__(session, ContextCalls(record))

    observe = awaited(ContextCalls.observe)
    predict = awaited(ContextCalls.predict)
    merge = awaited(ContextCalls.merge)
    refresh = awaited(ContextCalls.refresh)
    export = awaited(ContextCalls.export)
    delete = awaited(ContextCalls.delete)


class AsyncContexts(Sender[AsyncSession]):
    """The contexts under this key."""

    create = Awaited(ContextsCalls.create, AsyncContext)
    get = Awaited(ContextsCalls.get, AsyncContext)
    load = Awaited(ContextsCalls.load, AsyncContext)
    list = Awaited(ContextsCalls.list, paging(AsyncContext))


class AsyncEvaluation(Resource[AsyncSession, EvaluationRecord]):
    """An evaluation that runs on the service."""

    def __init__(self, session: AsyncSession, record: EvaluationRecord) -> None:
        super().__init__(session, EvaluationCalls(record))

    refresh = awaited(EvaluationCalls.refresh)
    cancel = awaited(EvaluationCalls.cancel)

    async def results(self) -> AsyncIterator[ScoreView]:
        """Yield every result, as soon as there is one; ends with the evaluation."""
        seen = 0
        while True:
            record = await self.refresh()
            for result in record.results[seen:]:
                yield result
            seen = len(record.results)
            if record.is_finished:
                return
            await anyio.sleep(POLL_INTERVAL)

    async def wait(self) -> EvaluationRecord:
        """Wait for its end; returns it with all of its results."""
        async for _ in self.results():
            pass
        return self.record


class AsyncEvaluations(Sender[AsyncSession]):
    """The evaluations under this key."""

    ask = Awaited(EvaluationsCalls.ask, AsyncEvaluation)
    get = Awaited(EvaluationsCalls.get, AsyncEvaluation)
    list = Awaited(EvaluationsCalls.list, paging(AsyncEvaluation))
