"""The parts of an explanation, by name."""

from typing import Literal

from service.errors import InvalidInput, Problem
from service.numbers import named

Part = Literal["implicit_weights", "contributions", "effects", "pairs", "blocks"]
PARTS: tuple[Part, ...] = ("implicit_weights", "contributions", "effects", "pairs", "blocks")
"""All together stand for the parts that the model has."""
TERMS: frozenset[Part] = frozenset({"effects", "pairs", "blocks"})


def parts(value: object, name: str) -> tuple[Part, ...]:
    """Read the value of `explain`: true for all parts, false or null for none, or a list of names.

    Raises:
        InvalidInput: It is none of these.
    """
    if value is None or isinstance(value, bool):
        return PARTS if value else ()
    if not isinstance(value, list) or not all(part in PARTS for part in value):
        names = ", ".join(f'"{part}"' for part in PARTS)
        raise InvalidInput(Problem(name, f"must be true, false or a list of {names}; this is {named(value)}."))
    return tuple(part for part in PARTS if part in value)
