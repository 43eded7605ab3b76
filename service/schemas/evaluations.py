"""What goes in and out of the routes of evaluations, with examples."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import ConfigDict, Field

from service.evaluations.request import SuiteName
from service.evaluations.result import ScoreView
from service.schemas.contexts import EXAMPLE_ID, time_of
from service.schemas.models import ModelReference
from service.schemas.schema import ResponseModel, open_enum

if TYPE_CHECKING:
    from service.evaluations.job_store import EvaluationRecord


class EvaluatedModel(ModelReference):
    """A model as it was when the evaluation was submitted."""

    sha256: str


class EvaluationSizes(ResponseModel):
    """How much is asked."""

    tasks: int
    """Tasks of each distribution."""
    queries: int
    """Queries of each task."""
    observations: int
    """Length of the context where everything is measured."""
    curve: tuple[int, ...]
    """Lengths of the context on the learning curve."""


class EvaluationAnswer(ResponseModel):
    """An evaluation beside its results."""

    id: str = Field(examples=[EXAMPLE_ID])
    status: Annotated[str, open_enum("queued", "running", "done", "failed", "cancelled")]
    suite: SuiteName
    models: tuple[EvaluatedModel, ...]
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

    @property
    def is_finished(self) -> bool:
        """Whether no further results will come."""
        return self.status not in {"queued", "running"}

    @classmethod
    def of(cls, record: "EvaluationRecord") -> Self:
        """Write a record as it is sent."""
        request = record.request
        return cls(
            id=record.id,
            status=record.status,
            suite=request.suite,
            models=tuple(EvaluatedModel(**model) for model in record.models),
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

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    results: tuple[ScoreView, ...] = ()

    @classmethod
    def showing(cls, record: "EvaluationRecord", results: Iterable[ScoreView]) -> Self:
        """Write an evaluation as it is sent on its own."""
        return cls(**dict(EvaluationAnswer.of(record)), results=tuple(results))


class EvaluationPage(ResponseModel):
    """Some of the caller's evaluations, oldest first."""

    evaluations: tuple[EvaluationAnswer, ...]
    after: str | None = Field(examples=[None])
    """Send it as `?after=` for the next page; null at the end."""
