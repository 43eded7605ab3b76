"""Every call of the API that is about evaluations, written once."""

from collections.abc import Sequence
from typing import Any

from service.client import frames
from service.client.answers import EvaluationList, EvaluationRecord, Page
from service.client.call import JSON, Call, drop_none, json_body, path, reading
from service.evaluations.request import SuiteName

EVALUATIONS = path("v1", "evaluations")
EVALUATION = reading(EvaluationRecord)

POLL_INTERVAL = 0.5
"""Seconds between two looks at an evaluation that is waited for."""


class EvaluationsCalls:
    """What is asked of all evaluations of the caller."""

    def ask(
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
    ) -> Call[EvaluationRecord]:
        """Have the service examine models beside the reference learners; the same request gives the same numbers.

        Args:
            models: By name.
            suite: The paper's tasks, practical ones, tables of measurements that ship, or tasks drawn from `data`.
            data: x (R rows of D) and y (R, or one column) of your own, with the suite `data`.
            seed: Decides the tasks.
            tasks: Of each distribution.
            queries: Of each task.
            observations: Length of the context where everything is measured.
            curve: Lengths of the context on the learning curve.
        """
        body = json_body(
            models=list(models),
            suite=suite or ("data" if data else None),
            data=data and _table(*data),
            seed=seed,
            tasks=tasks,
            queries=queries,
            observations=observations,
            curve=None if curve is None else list(curve),
        )
        return Call("POST", EVALUATIONS, EVALUATION, body, {"Content-Type": JSON}, repeatable=False)

    def get(self, evaluation_id: str) -> Call[EvaluationRecord]:
        """Look an evaluation up by its id, with its results so far."""
        return Call("GET", path("v1", "evaluations", evaluation_id), EVALUATION)

    def list(self, *, limit: int | None = None, after: str | None = None) -> Call[Page[EvaluationRecord]]:
        """List the evaluations under this key, oldest first, without their results.

        Args:
            limit: Most of them on this page.
            after: The `after` of the page before.
        """
        call = Call("GET", EVALUATIONS, reading(EvaluationList), params=drop_none(limit=limit, after=after))
        return call.then(lambda page: Page(page.evaluations, page.after))


class EvaluationCalls:
    """What is asked of one evaluation.

    Attributes:
        record: What the service last told of it.
    """

    def __init__(self, record: EvaluationRecord) -> None:
        self.record = record
        self._path = path("v1", "evaluations", record.id)

    def __str__(self) -> str:
        told = self.record
        return f"evaluation {told.id}: {told.status}, {told.done} of {told.total} results"

    def refresh(self) -> Call[EvaluationRecord]:
        """Look at it again, with its results so far."""
        return Call("GET", self._path, EVALUATION).then(self._remember)

    def cancel(self) -> Call[EvaluationRecord]:
        """Stop it; what it has found so far stays."""
        return Call("POST", f"{self._path}/cancel", EVALUATION).then(self._remember)

    def _remember(self, record: EvaluationRecord) -> EvaluationRecord:
        self.record = record
        return record


def _table(x: object, y: object) -> dict[str, Any]:
    outputs = frames.read(y, "y").numbers
    column = outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs
    return {"x": frames.read(x, "x").numbers.tolist(), "y": column.tolist()}
