"""The base classes of bodies."""

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import WithJsonSchema


class Schema(BaseModel):
    """Refuses unknown fields; the text under a field is its description."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class ResponseModel(Schema):
    """A response that clients keep: immutable. Clients read it with `extra="ignore"`, so that fields can be added."""

    model_config = ConfigDict(frozen=True)


def open_enum(*values: str) -> WithJsonSchema:
    """Document the values of a text that clients accept with other values too, so that values can be added."""
    return WithJsonSchema({"type": "string", "enum": list(values)})
