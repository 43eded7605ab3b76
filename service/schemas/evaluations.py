"""Evaluations and their results."""

from datetime import datetime
from typing import Annotated, get_args

from pydantic import ConfigDict, Field

from service.evaluations.request import SuiteName
from service.evaluations.result import ScoreView
from service.schemas.contexts import EXAMPLE_ID
from service.schemas.models import ModelReference
from service.schemas.schema import ResponseModel, open_enum


class EvaluatedModel(ModelReference):
    """A model, as evaluated."""

    sha256: str


class EvaluationSizes(ResponseModel):
    """The sizes of an evaluation."""

    model_config = ConfigDict(from_attributes=True)

    tasks: int
    """Tasks of each distribution."""
    queries: int
    """Queries of each task."""
    observations: int
    """Length of the context at which every metric is measured."""
    curve: tuple[int, ...]
    """Lengths of the context on the learning curve."""


class EvaluationAnswer(ResponseModel):
    """An evaluation without its results."""

    id: str = Field(examples=[EXAMPLE_ID])
    status: Annotated[str, open_enum("queued", "running", "done", "failed", "cancelled")]
    suite: Annotated[str, open_enum(*get_args(SuiteName))]
    models: tuple[EvaluatedModel, ...]
    seed: int
    sizes: EvaluationSizes
    done: int = Field(examples=[18])
    """Results so far."""
    total: int = Field(examples=[18])
    """Results in the end."""
    reason: str | None
    """The reason of a failure."""
    created: datetime
    finished: datetime | None

    @property
    def is_finished(self) -> bool:
        """Whether no further results will come."""
        return self.status not in {"queued", "running"}


class EvaluationView(EvaluationAnswer):
    """An evaluation with its results so far."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    results: tuple[ScoreView, ...] = ()


class EvaluationPage(ResponseModel):
    """Some of the caller's evaluations, oldest first."""

    evaluations: tuple[EvaluationAnswer, ...]
    after: str | None = Field(examples=[None])
    """Send it as `?after=` for the next page; null at the end."""
