"""What goes in and out of the routes of evaluations, with examples."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import Path
from pydantic import Field

from service.api.context_schemas import EXAMPLE_ID, time_of
from service.api.schema import Schema
from service.evaluations.job_store import EvaluationRecord
from service.evaluations.request import SuiteName
from service.evaluations.result import ScoreView

EvaluationId = Annotated[str, Path(description="The id that the evaluation was given when it was asked for.")]


class EvaluatedModel(Schema):
    """A model as it was when the evaluation was asked for."""

    name: str = Field(examples=["linear"])
    version: str = Field(examples=["2.0.0"])
    sha256: str


class EvaluationSizes(Schema):
    """How much is asked."""

    tasks: int
    """Tasks of each distribution."""
    queries: int
    """Queries of each task."""
    observations: int
    """Length of the context where everything is measured."""
    curve: tuple[int, ...]
    """Lengths of the context on the learning curve."""


class EvaluationAnswer(Schema):
    """An evaluation beside its results."""

    id: str = Field(examples=[EXAMPLE_ID])
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    suite: SuiteName
    models: list[EvaluatedModel]
    seed: int
    sizes: EvaluationSizes
    done: int = Field(examples=[18])
    """Results so far."""
    total: int = Field(examples=[18])
    """Results that there will be."""
    reason: str | None
    """Why it failed."""
    created: datetime
    finished: datetime | None

    @classmethod
    def of(cls, record: EvaluationRecord) -> Self:
        """Write a record as it is sent."""
        request = record.request
        return cls(
            id=record.id,
            status=record.status,
            suite=request.suite,
            models=[EvaluatedModel(**model) for model in record.models],
            seed=request.seed,
            sizes=EvaluationSizes(**request.model_dump(include=set(EvaluationSizes.model_fields))),
            done=record.done,
            total=record.total,
            reason=record.reason,
            created=time_of(record.created),
            finished=None if record.finished is None else time_of(record.finished),
        )


class EvaluationView(EvaluationAnswer):
    """An evaluation with its results so far."""

    results: list[ScoreView]

    @classmethod
    def showing(cls, record: EvaluationRecord, results: list[ScoreView]) -> Self:
        """Write an evaluation as it is sent on its own."""
        return cls(**dict(EvaluationAnswer.of(record)), results=results)


class EvaluationPage(Schema):
    """Some of the caller's evaluations, oldest first."""

    evaluations: list[EvaluationAnswer]
    after: str | None = Field(examples=[None])
    """Send it as `?after=` for the next page; null at the end."""
