"""Pydantic's complaints in the words of `service.errors`: the field by its path, the rule, what came, what to do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from service.api.names import models_in
from service.errors import Problem
from service.numbers import named
from service.refusals import REFUSED

LONGEST_NAME = 60
"""A field name is the sender's; the answer does not repeat more of it than this."""

EXPECTED = {
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "string_type": "a text",
}


def problems_in(errors: Iterable[Mapping[str, Any]], model: type[BaseModel]) -> Iterator[Problem]:
    """Put what pydantic found into words.

    Args:
        errors: `ValidationError.errors()`.
        model: What was validated; it knows the fields that there are.
    """
    for error in errors:
        field = path_of(error["loc"])
        if error["type"] == REFUSED:
            for problem in error["ctx"]["problems"]:
                yield Problem(field + problem.field, problem.message)
        else:
            yield Problem(field, _message(error, model))


def path_of(location: Iterable[str | int]) -> str:
    """Write a place as its sender would: `context.x[3][1]`."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":
            path += "." * bool(path) + (part if len(part) <= LONGEST_NAME else part[:LONGEST_NAME] + "…")
    return path


def _message(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind = error["type"]
    if kind == "missing":
        return "is missing. Send it."
    if kind == "extra_forbidden":
        return f"is not a field. Leave it out; the fields here are {', '.join(_fields_beside(error['loc'], model))}."
    if kind in EXPECTED:
        return f"must be {EXPECTED[kind]}; this is {named(error['input'])}."
    if kind == "value_error":  # a validator's own words, without pydantic's in front of them
        return f"is refused: {error['ctx']['error']}."
    return f"is refused: {error['msg']}."


def _fields_beside(location: Sequence[str | int], model: type[BaseModel]) -> list[str]:
    """Follow a place down to the object that it is in, and name the fields of that."""
    for part in location[:-1]:
        if isinstance(part, str):  # a number is a place in a list, whose kind of entries is known already
            model = next(models_in(model.model_fields[part].annotation), model)
    return list(model.model_fields)
