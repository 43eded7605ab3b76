"""Converts pydantic's validation errors to the problems of `service.errors`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from service.api.object_limits import models_in
from service.errors import Problem
from service.numbers import describe
from service.schemas.fields import PROBLEMS_ERROR_TYPE

SHOWN_NAME_LENGTH = 60
"""Characters of a field name in a message; field names come from the request."""

EXPECTED = {
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "string_type": "a text",
}


def problems_in(errors: Iterable[Mapping[str, Any]], model: type[BaseModel]) -> Iterator[Problem]:
    """Convert validation errors.

    Args:
        errors: `ValidationError.errors()`.
        model: The model that validated.
    """
    for error in errors:
        yield from _own_problems(error) or [Problem(path_of(error["loc"]), _message(error, model))]


def problems_of_parameters(errors: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    """Convert validation errors of parameters of a path, a query or a header; after a name, pydantic's are left out."""
    for error in errors:
        if error["type"] != "none_required":  # of an optional one, which has another error
            place = [part for i, part in enumerate(error["loc"]) if i < 2 or isinstance(part, int)]
            yield from _own_problems(error) or [Problem(path_of(place), f"is refused: {error['msg']}.")]


def _own_problems(error: Mapping[str, Any]) -> list[Problem]:
    """Return the problems that a field of the project has named; none for an error of pydantic's."""
    if error["type"] != PROBLEMS_ERROR_TYPE:
        return []
    field = path_of(error["loc"])
    return [Problem(field + problem.field, problem.message) for problem in error["ctx"]["problems"]]


def path_of(location: Iterable[str | int]) -> str:
    """Write the location of a field: `context.x[3][1]`."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":
            path += "." * bool(path) + (part if len(part) <= SHOWN_NAME_LENGTH else part[:SHOWN_NAME_LENGTH] + "…")
    return path


def _message(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind = error["type"]
    if kind == "missing":
        return "is missing. Send it."
    if kind == "extra_forbidden":
        return f"is not a field. Leave it out; the fields here are {', '.join(_sibling_fields(error['loc'], model))}."
    if kind in EXPECTED:
        return f"must be {EXPECTED[kind]}; this is {describe(error['input'])}."
    if kind == "value_error":  # the message of a validator, without pydantic's prefix
        return f"is refused: {error['ctx']['error']}."
    return f"is refused: {error['msg']}."


def _sibling_fields(location: Sequence[str | int], model: type[BaseModel]) -> list[str]:
    """Return the fields of the object that has the field at a location."""
    for part in location[:-1]:
        if isinstance(part, str):  # an integer is an index of a list, whose model is already known
            model = next(models_in(model.model_fields[part].annotation), model)
    return [field.alias or name for name, field in model.model_fields.items()]
