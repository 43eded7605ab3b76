"""JSON objects with many names, cut before they are built and validated.

pydantic makes an error of every name that it does not know, of a million names a million errors. An object of a
request has at most some ten fields, so of one with more than `NAMES` names only the known and the first few others are
validated, and the request is refused.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, get_args

import simdjson
from pydantic import BaseModel

from service.errors import SHOWN, MalformedBody, Problem

NAMES = 100
"""Most names of one object."""
CROWD = 10_000
TEXTS = 50_000
MARKS = {b":": CROWD, b"{": CROWD, b"[]": CROWD, b'"': 2 * TEXTS}
"""A body with more of one of these holds too many names, objects, empty rows or texts, or a text that is too long."""
ENTRIES = 1000
"""Of each list of such a body so many are read: enough to say what is wrong."""


RUN = 8192
"""Entries of a list that are built at a time."""


class Beginning(dict[str, Any]):
    """An object of which something is left out, so that it is refused whatever is found in the rest."""


def is_crowded(body: bytes) -> bool:
    """Tell whether a body has so many objects that building them would cost more than any valid body does."""
    return len(body) > CROWD and any(body.count(mark) > most for mark, most in MARKS.items())


def decode_beginning(body: bytes, known: frozenset[str]) -> object:
    """Read of each object of a JSON document the known names and the first others, of each list the beginning.

    Raises:
        MalformedBody: It is not JSON.
    """
    try:
        found = _beginning(simdjson.Parser().parse(body), known)
        return Beginning(found) if isinstance(found, dict) else found
    except (ValueError, RuntimeError) as error:
        raise MalformedBody(f"The body is not JSON that can be read: {str(error)[:200]}.") from None


def _beginning(found: Any, known: frozenset[str]) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(found, simdjson.Array):
        return [_beginning(inner, known) for inner in islice(found, ENTRIES)]
    if not isinstance(found, simdjson.Object):
        return found
    names = dict.fromkeys(islice(found, NAMES + 1))
    if len(names) > NAMES:
        names |= dict.fromkeys(name for name in known if found.get(name) is not None)
    return {name: _beginning(found[name], known) for name in names}


def decode_in_runs(body: bytes) -> object:
    """Read a JSON document, in runs between which other threads may go on.

    Raises:
        ValueError, RuntimeError: It is not JSON, or such that simdjson does not read it: NaN, integers beyond 64 bits.
        RecursionError: It is nested deeply.
    """
    return _in_runs(simdjson.Parser().parse(body))


def _in_runs(found: Any) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(found, simdjson.Object):
        return {name: _in_runs(value) for name, value in found.items()}
    if not isinstance(found, simdjson.Array):
        return found
    items, entries = list[Any](), iter(found)
    while run := [*islice(entries, RUN)]:
        plain = {*map(type, run)}.isdisjoint((simdjson.Array, simdjson.Object))
        items += run if plain else map(_in_runs, run)
    return items


class Pruning:
    """Cuts the objects of one JSON value.

    Args:
        model: What the value is to be an instance of.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        self._known = names_of(model)
        self.problem: Problem | None = None
        """What is wrong with the first object that was cut."""

    def of_body(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Do what `of_object` does with the outermost object."""
        kept = self.of_object(dict(found))
        if isinstance(found, Beginning):
            text = (
                f"The body has more than {CROWD} names, objects or empty lists, or than {TEXTS} texts. "
                "Send those that are needed."
            )
            self.problem = self.problem or Problem("", text)
        return kept

    def of_object(self, found: dict[str, Any], place: str = "") -> dict[str, Any]:
        """Keep the known names and the first others, here and in the objects inside."""
        if len(found) > NAMES:
            self.problem = self.problem or Problem(place, f"has more than {NAMES} fields. Send those that are needed.")
            others = islice((name for name in found if name not in self._known), SHOWN)
            found = {name: found[name] for name in (*(self._known & found.keys()), *others)}
        return {name: self._value(value, f"{place}.{name}" if place else name) for name, value in found.items()}

    def _value(self, value: object, place: str) -> object:
        if type(value) is dict:
            return self.of_object(value, place)
        if type(value) is list and len(value) <= NAMES:  # the models have no longer list of objects
            return [
                self._value(inner, f"{place}[{i}]") if type(inner) is dict else inner for i, inner in enumerate(value)
            ]
        return value


@cache
def names_of(model: type[BaseModel]) -> frozenset[str]:
    """Name the fields of a model and of the models in it."""
    inside = (names_of(inner) for field in model.model_fields.values() for inner in models_in(field.annotation))
    return frozenset(model.model_fields).union(*inside)


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Find the models in an annotation, as in `list[Model] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)
