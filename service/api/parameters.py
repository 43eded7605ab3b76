"""Parameters of paths and queries."""

from typing import Annotated

from fastapi import Path
from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from service.api.names import Pruning
from service.schemas.contexts import TTL_LIMIT, ContextName
from service.schemas.schema import Schema

ContextId = Annotated[str, Path(description="The id that the context was given when it was made.")]
EvaluationId = Annotated[str, Path(description="The id that the evaluation was given when it was asked for.")]


class QueryParameters(Schema):
    """Query parameters; FastAPI documents each by its description alone."""

    @model_validator(mode="before")
    @classmethod
    def _few(cls, value: object) -> object:
        """Drop most of many unknown parameters; the first ones are refused."""
        return Pruning(cls).of_object(value) if type(value) is dict else value


class PageRequest(QueryParameters):
    """Which of the caller's contexts or evaluations to list."""

    limit: int = Field(100, ge=1, le=1000, description="Most on this page.")
    after: ContextName | SkipJsonSchema[None] = Field(None, description="Where the page before ended.")


class ImportOptions(QueryParameters):
    """How to keep an imported context."""

    ttl: Annotated[int, Field(ge=1, le=TTL_LIMIT)] | SkipJsonSchema[None] = Field(
        None, description="Seconds that it is kept after its last use; GDSSM_CONTEXT_TTL if left out."
    )
