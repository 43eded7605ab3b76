"""Evaluations on a service, for asyncio and trio; `evaluations` is generated from this module."""

from collections.abc import AsyncIterator, Sequence

import anyio

from gdssm_client import frames
from gdssm_client.answers import Page
from gdssm_client.call import JSON_TYPE, Call, drop_none, json_body, path, reading
from gdssm_client.choices import SuiteName
from gdssm_client.errors import Unfinished
from gdssm_client.pauses import Pauses
from gdssm_client.schemas import EvaluationPage, EvaluationView, ScoreView
from gdssm_client.sessions import AsyncSession

EVALUATIONS = path("v1", "evaluations")
WAIT_LIMIT = 7200.0
"""Seconds: ten evaluations, as many as a key may have, take 6000 s with the service's default settings."""
read_evaluation = reading(EvaluationView)


class AsyncEvaluation:
    """An evaluation on the service.

    Attributes:
        record: The evaluation as the service last returned it.
    """

    def __init__(self, session: AsyncSession, record: EvaluationView) -> None:
        self._session = session
        self._path = path("v1", "evaluations", record.id)
        self.record = record

    def __repr__(self) -> str:
        record = self.record
        return f"<evaluation {self.id}: {record.status}, {record.done} of {record.total} results>"

    @property
    def id(self) -> str:
        """The id by which `evaluations.get` finds it."""
        return self.record.id

    @property
    def is_finished(self) -> bool:
        """Whether the evaluation has ended, by its latest record."""
        return self.record.status not in {"queued", "running"}

    async def refresh(self) -> EvaluationView:
        """Get the current record, with the results so far."""
        self.record = await self._session.send(Call("GET", self._path, read_evaluation))
        return self.record

    async def cancel(self) -> EvaluationView:
        """Stop the evaluation; the results so far are kept."""
        self.record = await self._session.send(Call("POST", f"{self._path}/cancel", read_evaluation))
        return self.record

    async def results(self, *, deadline: float | None = WAIT_LIMIT) -> AsyncIterator[ScoreView]:
        """Yield each result soon after it is there, until the evaluation ends.

        The service is asked 0.1 s after each result, and then after pauses that grow by half, up to 5 s.

        Args:
            deadline: Seconds to wait for the end; None for no limit.

        Raises:
            Unfinished: It has not ended by then. It goes on, and `results` may be called again.
        """
        seen, pauses = 0, Pauses(deadline)
        while True:
            record = await self.refresh()
            for result in record.results[seen:]:
                yield result
            progress, seen = len(record.results) > seen, len(record.results)
            if self.is_finished:
                return
            pause = pauses.next(progress=progress)
            if pause is None:
                problem = f"The evaluation {self.id} is {record.status} after {deadline:g} s, with {record.done} of"
                raise Unfinished(f"{problem} {record.total} results. Wait again with a longer deadline, or cancel it.")
            await anyio.sleep(pause)

    async def wait(self, *, deadline: float | None = WAIT_LIMIT) -> EvaluationView:
        """Wait for the end of the evaluation; returns it with all results.

        Args:
            deadline: Seconds to wait; None for no limit.

        Raises:
            Unfinished: As for `results`.
        """
        with self._session.connection.bar("Evaluating", self.record.total) as bar:
            async for _ in self.results(deadline=deadline):
                bar.update(self.record.done)
        return self.record


class AsyncEvaluations:
    """The evaluations of one API key."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def submit(
        self,
        models: Sequence[str],
        *,
        suite: SuiteName | None = None,
        data: tuple[object, object] | None = None,
        seed: int | None = None,
        tasks: int | None = None,
        queries: int | None = None,
        observations: int | None = None,
        curve: Sequence[int] | None = None,
    ) -> AsyncEvaluation:
        """Evaluate models and the reference learners on the service; the same request gives the same numbers.

        Args:
            models: Names of models.
            suite: The paper's tasks, practical ones, tables of measurements that ship, or tasks drawn from `data`.
            data: x (R rows of D) and y (R, or one column) of your own, with the suite `data`.
            seed: Determines the tasks.
            tasks: Number of tasks of each distribution.
            queries: Number of queries of each task.
            observations: Length of the context at which every metric is measured.
            curve: Lengths of the context on the learning curve.
        """
        body = json_body(
            models=[*models],
            suite=suite or ("data" if data else None),
            data=data and _table(*data),
            seed=seed,
            tasks=tasks,
            queries=queries,
            observations=observations,
            curve=None if curve is None else [*curve],
        )
        call = Call("POST", EVALUATIONS, read_evaluation, body, JSON_TYPE, repeatable=False)
        return AsyncEvaluation(self._session, await self._session.send(call))

    ask = submit
    """The former name of `submit`."""

    async def get(self, evaluation_id: str) -> AsyncEvaluation:
        """Get an evaluation by its id, with its results so far."""
        record = await self._session.send(Call("GET", path("v1", "evaluations", evaluation_id), read_evaluation))
        return AsyncEvaluation(self._session, record)

    async def list(self, *, limit: int | None = None, after: str | None = None) -> Page[AsyncEvaluation]:
        """List evaluations, oldest first, without their results.

        Args:
            limit: The size of the page.
            after: The `after` of the previous page.
        """
        params = drop_none(limit=limit, after=after)
        page = await self._session.send(Call("GET", EVALUATIONS, reading(EvaluationPage), params=params))
        records = (EvaluationView(**vars(record)) for record in page.evaluations)
        return Page(tuple(AsyncEvaluation(self._session, record) for record in records), page.after)


def _table(x: object, y: object) -> dict[str, object]:
    outputs = frames.read(y, "y").numbers
    column = outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs
    return {"x": frames.read(x, "x").numbers.tolist(), "y": column.tolist()}
