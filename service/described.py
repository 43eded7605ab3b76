"""Models whose fields are described by the text under them, read from the source when somebody asks for it.

pydantic would do so by itself (`use_attribute_docstrings`), but while it makes each class, which was a tenth of the
start of a service; and a service that nobody asks for its documentation needs none of them.
"""

import ast
import inspect
from functools import cache
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Described(BaseModel):
    """The text under a field is its description in the JSON schema."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema)["properties"]
        for name, text in descriptions(cls).items():
            properties[name].setdefault("description", text)
        return schema


def descriptions(model: type[Described]) -> dict[str, str]:
    """Find the text under each field of a model that has one, those of its parents included."""
    texts: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if issubclass(parent, Described):
            texts |= _texts(inspect.getfile(parent)).get(parent.__name__, {})
    return {name: text for name, text in texts.items() if name in model.model_fields}


@cache
def _texts(file: str) -> dict[str, dict[str, str]]:
    """Read the texts of all classes of a source file: by class, by field."""
    body = ast.parse(Path(file).read_text("utf-8")).body
    return {node.name: dict(_under_fields(node)) for node in body if isinstance(node, ast.ClassDef)}


def _under_fields(node: ast.ClassDef) -> list[tuple[str, str]]:
    return [
        (field.target.id, inspect.cleandoc(text.value.value))
        for field, text in pairwise(node.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    ]
