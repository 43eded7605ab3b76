"""Parameters of paths and queries."""

from typing import Annotated

from fastapi import Path, Request
from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from service.api.object_limits import Pruning
from service.contexts.labels import LABELS_LIMIT, REFUSED, read_filter
from service.errors import InvalidInput, Problem
from service.schemas.contexts import TTL_LIMIT, ContextIdField, ContextNameField
from service.schemas.fields import reading
from service.schemas.schema import Schema

ContextId = Annotated[str, Path(description="The id from the response that created the context.")]
ContextNamePath = Annotated[
    ContextNameField, Path(description="Your name for the context, its characters percent-encoded where needed.")
]
EvaluationId = Annotated[str, Path(description="The id from the response that accepted the evaluation.")]


QUERY_PARAMETERS = ("limit", "after", "ttl")
"""Those that take one value."""


async def refuse_repeated(request: Request) -> None:
    """Refuse query parameters that are there several times, as a dependency; pydantic would use the last one.

    Raises:
        InvalidInput: A parameter that takes one value has several.
    """
    query = request.query_params
    counts = {name: len(query.getlist(name)) for name in QUERY_PARAMETERS if name in query}
    repeated = [
        Problem(f"query.{name}", f"is there {count} times. Send it once.")
        for name, count in counts.items()
        if count > 1
    ]
    if repeated:
        raise InvalidInput(*repeated)


class QueryParameters(Schema):
    """Query parameters; FastAPI uses their `description`, not the docstrings of the fields."""

    @model_validator(mode="before")
    @classmethod
    def _prune(cls, value: object) -> object:
        """Drop most of many unknown parameters; the first ones are refused."""
        return Pruning(cls).of_object(value) if type(value) is dict else value


class PageRequest(QueryParameters):
    """A page of the caller's evaluations."""

    limit: int = Field(100, ge=1, le=1000, description="Maximum number of entries on this page.")
    after: ContextIdField | SkipJsonSchema[None] = Field(None, description="The `after` of the previous page.")


Label = Annotated[
    tuple[str, str],
    reading(read_filter, Annotated[str, Field(pattern=f"^[^{REFUSED}:]{{1,63}}:[^{REFUSED}]{{1,200}}$")]),
]


class ContextPageRequest(PageRequest):
    """A page of the caller's contexts, of all or of those that have some labels."""

    label: list[Label] = Field(
        [], max_length=LABELS_LIMIT, description="A label `key:value` that the contexts have; may be repeated."
    )


class ImportOptions(QueryParameters):
    """Options of an import."""

    ttl: Annotated[int, Field(ge=1, le=TTL_LIMIT)] | SkipJsonSchema[None] = Field(
        None, description="Seconds that the context is kept after its last use; by default GDSSM_CONTEXT_TTL."
    )
