"""Evaluations in the database: requests, progress and results."""

import json
import time
from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, Select, and_, delete, func, insert, or_, select, update

from service.errors import QuotaExceeded, UnknownEvaluation
from service.evaluations.request import EvaluationRequest
from service.evaluations.result import ScoreView
from service.schemas.evaluations import EvaluatedModel, EvaluationAnswer, EvaluationSizes
from service.store.database import Database
from service.store.ids import new_id
from service.store.tables import EVALUATION_RESULTS, EVALUATIONS

Status = Literal["queued", "running", "done", "failed", "cancelled"]
UNFINISHED = ("queued", "running")
HEARTBEAT_TIMEOUT = 30.0
"""Seconds without a heartbeat after which another process takes over a running evaluation."""


class JobStore:
    """Evaluations in the database; several processes may share it.

    Args:
        database: The database.
        unfinished_limit: Queued and running evaluations of one owner.
        ttl: Seconds until an evaluation expires.
    """

    def __init__(self, database: Database, unfinished_limit: int, ttl: int) -> None:
        self._database = database
        self._unfinished_limit = unfinished_limit
        self._ttl = ttl

    def add(
        self, owner: str, request: EvaluationRequest, models: Sequence[EvaluatedModel], total: int
    ) -> EvaluationAnswer:
        """Queue an evaluation.

        Raises:
            QuotaExceeded: The owner has too many that are not finished.
        """
        now = time.time()
        row = {
            "id": new_id(now),
            "owner": owner,
            "request": request.model_dump_json(),
            "models": json.dumps([model.model_dump() for model in models]),
            "status": "queued",
            "total": total,
            "created": now,
            "heartbeat": now,
            "expires": now + self._ttl,
        }
        with self._database.transaction() as connection:
            self._check_quota(connection, owner)
            connection.execute(delete(EVALUATIONS).where(EVALUATIONS.c.expires < now))
            connection.execute(insert(EVALUATIONS).values(row))
        return self.get(owner, str(row["id"]))

    def get(self, owner: str, evaluation_id: str) -> EvaluationAnswer:
        """Get an evaluation.

        Raises:
            UnknownEvaluation: The owner has none of this id.
        """
        owned = and_(EVALUATIONS.c.owner == owner, EVALUATIONS.c.id == evaluation_id)
        with self._database.reading() as connection:
            row = connection.execute(_records().where(owned)).mappings().one_or_none()
        if row is None:
            raise UnknownEvaluation(evaluation_id)
        return _record(row)

    def page(self, owner: str, limit: int, after: str | None = None) -> list[EvaluationAnswer]:
        """List an owner's evaluations, oldest first."""
        query = _records().where(EVALUATIONS.c.owner == owner, EVALUATIONS.c.id > (after or ""))
        with self._database.reading() as connection:
            return [
                _record(row) for row in connection.execute(query.order_by(EVALUATIONS.c.id).limit(limit)).mappings()
            ]

    def results(self, evaluation_id: str, after: int = 0) -> list[ScoreView]:
        """Get the results from number `after` on."""
        table = EVALUATION_RESULTS.c
        query = select(table.result).where(table.evaluation_id == evaluation_id, table.number >= after)
        with self._database.reading() as connection:
            texts = connection.scalars(query.order_by(table.number)).all()
        return [ScoreView.model_validate_json(text) for text in texts]

    def cancel(self, owner: str, evaluation_id: str) -> EvaluationAnswer:
        """Cancel an evaluation, unless it is finished."""
        self.get(owner, evaluation_id)
        self._close(evaluation_id, "cancelled", None)
        return self.get(owner, evaluation_id)

    def claim(self, runner: str) -> EvaluationAnswer | None:
        """Claim the next evaluation without an active runner, from its start.

        Owners take turns: the oldest evaluation of the owner whose last one ran longest ago is next.
        """
        now = time.time()
        table = EVALUATIONS.c
        free = or_(table.status == "queued", and_(table.status == "running", table.heartbeat < now - HEARTBEAT_TIMEOUT))
        of_owner = EVALUATIONS.alias()
        started = and_(of_owner.c.owner == table.owner, of_owner.c.runner.is_not(None))
        last = select(func.max(of_owner.c.heartbeat)).where(started).scalar_subquery()
        next_one = select(table.id).where(free).order_by(func.coalesce(last, 0.0), table.id).limit(1)
        with self._database.reading() as connection:  # usually there is none; this read does not block writers
            if connection.scalar(next_one) is None:
                return None
        with self._database.transaction() as connection:
            evaluation_id = connection.scalar(next_one.with_for_update(skip_locked=True, of=EVALUATIONS))
            if evaluation_id is None:
                return None
            taken = {"status": "running", "runner": runner, "heartbeat": now}
            connection.execute(update(EVALUATIONS).where(table.id == evaluation_id).values(taken))
            connection.execute(delete(EVALUATION_RESULTS).where(EVALUATION_RESULTS.c.evaluation_id == evaluation_id))
            row = connection.execute(_records().where(table.id == evaluation_id)).mappings().one()
        return _record(row)

    def request(self, evaluation_id: str) -> EvaluationRequest:
        """Get the request of an evaluation, of any owner."""
        query = select(EVALUATIONS.c.request).where(EVALUATIONS.c.id == evaluation_id)
        with self._database.reading() as connection:
            return EvaluationRequest.model_validate_json(connection.scalars(query).one())

    def append(self, evaluation_id: str, number: int, result: str) -> None:
        """Store one result as JSON."""
        row = {"evaluation_id": evaluation_id, "number": number, "result": result}
        with self._database.transaction() as connection:
            connection.execute(insert(EVALUATION_RESULTS).values(row))

    def heartbeat(self, evaluation_id: str, runner: str) -> bool:
        """Record that the runner is alive; False if the evaluation was cancelled or taken over by another runner."""
        running = _claimed(evaluation_id, runner)
        with self._database.transaction() as connection:
            found = connection.execute(update(EVALUATIONS).where(running).values(heartbeat=time.time()))
        return found.rowcount == 1

    def requeue(self, evaluation_id: str, runner: str) -> None:
        """Queue an evaluation again."""
        with self._database.transaction() as connection:
            connection.execute(update(EVALUATIONS).where(_claimed(evaluation_id, runner)).values(status="queued"))

    def finish(self, evaluation_id: str, reason: str | None) -> None:
        """Finish an evaluation: done, or failed if there is a reason."""
        self._close(evaluation_id, "done" if reason is None else "failed", reason)

    def _close(self, evaluation_id: str, status: Status, reason: str | None) -> None:
        open_ = and_(EVALUATIONS.c.id == evaluation_id, EVALUATIONS.c.status.in_(UNFINISHED))
        end = {"status": status, "reason": reason, "finished": time.time()}
        with self._database.transaction() as connection:
            connection.execute(update(EVALUATIONS).where(open_).values(end))

    def _check_quota(self, connection: Connection, owner: str) -> None:
        unfinished = and_(EVALUATIONS.c.owner == owner, EVALUATIONS.c.status.in_(UNFINISHED))
        count = connection.scalar(select(func.count()).select_from(EVALUATIONS).where(unfinished)) or 0
        if count >= self._unfinished_limit:
            raise QuotaExceeded(
                f"{count} evaluations are queued or running; at most {self._unfinished_limit} may be "
                "(GDSSM_MAX_EVALUATIONS). Wait for one to end, or cancel one."
            )


def _claimed(evaluation_id: str, runner: str) -> Any:  # noqa: ANN401  (SQLAlchemy's own)
    table = EVALUATIONS.c
    return and_(table.id == evaluation_id, table.runner == runner, table.status == "running")


def _records() -> Select[Any]:
    done = select(func.count()).where(EVALUATION_RESULTS.c.evaluation_id == EVALUATIONS.c.id).scalar_subquery()
    return select(EVALUATIONS, done.label("done"))


def _record(row: RowMapping) -> EvaluationAnswer:
    request = EvaluationRequest.model_validate_json(row["request"])
    return EvaluationAnswer(
        id=row["id"],
        status=row["status"],
        suite=request.suite,
        models=json.loads(row["models"]),
        seed=request.seed,
        sizes=EvaluationSizes.model_validate(request),
        done=row["done"],
        total=row["total"],
        reason=row["reason"],
        created=row["created"],
        finished=row["finished"],
    )
