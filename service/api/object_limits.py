"""Limits on the number of names, objects, lists and texts in a JSON body.

pydantic reports every unknown name: a million errors for a million names. Objects in requests have about ten fields. A
request with more than `FIELD_LIMIT` names in an object is refused; of such an object only the known names and the first
few others are validated.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, get_args

import simdjson
from pydantic import BaseModel

from service.errors import MAX_REPORTED_PROBLEMS, MalformedBody, Problem

FIELD_LIMIT = 100
"""Names in one object."""
TOKEN_LIMIT = 10_000
TEXT_LIMIT = 50_000
TOKEN_LIMITS = {b":": TOKEN_LIMIT, b"{": TOKEN_LIMIT, b"[]": TOKEN_LIMIT, b'"': 2 * TEXT_LIMIT}
"""By token: a body with more of them has too many names, objects, empty lists or texts, or a text that is too long."""
TRUNCATED_LIST_LENGTH = 1000
"""Entries of each list of such a body that are validated: enough to report its errors."""
ENTRIES_AT_ONCE = 8192
"""Entries of a list that are built without releasing the GIL."""


class TruncatedObject(dict[str, Any]):
    """An object from `decode_truncated`, which is always refused."""


def has_too_many_tokens(body: bytes) -> bool:
    """Return whether a body has more objects than any valid body."""
    return len(body) > TOKEN_LIMIT and any(body.count(token) > limit for token, limit in TOKEN_LIMITS.items())


def decode_truncated(body: bytes, known: frozenset[str]) -> object:
    """Parse the beginning of every list of a JSON document, and the known and the first other names of every object.

    Raises:
        MalformedBody: It is not JSON.
    """
    try:
        found = _truncated(simdjson.Parser().parse(body), known)
        return TruncatedObject(found) if isinstance(found, dict) else found
    except (ValueError, RuntimeError) as error:
        raise MalformedBody(f"The body is not valid JSON: {str(error)[:200]}.") from None


def _truncated(found: Any, known: frozenset[str]) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(found, simdjson.Array):
        return [_truncated(inner, known) for inner in islice(found, TRUNCATED_LIST_LENGTH)]
    if not isinstance(found, simdjson.Object):
        return found
    names = dict.fromkeys(islice(found, FIELD_LIMIT + 1))
    if len(names) > FIELD_LIMIT:
        names |= dict.fromkeys(name for name in known if found.get(name) is not None)
    return {name: _truncated(found[name], known) for name in names}


def decode_in_chunks(body: bytes) -> object:
    """Parse a JSON document, in chunks between which other threads may run.

    Raises:
        ValueError, RuntimeError: simdjson cannot parse it: it is not JSON, or has NaN or integers beyond 64 bits.
        RecursionError: It is nested too deeply.
    """
    return _in_chunks(simdjson.Parser().parse(body))


def _in_chunks(found: Any) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(found, simdjson.Object):
        return {name: _in_chunks(value) for name, value in found.items()}
    if not isinstance(found, simdjson.Array):
        return found
    items, entries = list[Any](), iter(found)
    while chunk := [*islice(entries, ENTRIES_AT_ONCE)]:
        plain = {*map(type, chunk)}.isdisjoint((simdjson.Array, simdjson.Object))
        items += chunk if plain else map(_in_chunks, chunk)
    return items


def free_in_chunks(value: object, *, inner: bool = False) -> None:
    """Empty an object of JSON, and the lists in it, in chunks between which other threads may run.

    Args:
        value: A JSON value.
        inner: Whether to empty the lists in short lists, too; a model that was validated may refer to them.
    """
    if isinstance(value, dict):
        while value:
            free_in_chunks(value.popitem()[1], inner=inner)
    elif isinstance(value, list):
        if len(value) <= FIELD_LIMIT:
            for entry in value:
                if inner or isinstance(entry, dict):
                    free_in_chunks(entry, inner=inner)
        while value:
            del value[-ENTRIES_AT_ONCE:]


class Pruning:
    """Removes most unknown names from the objects of one JSON value, before it is validated.

    Args:
        model: Will validate the value.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        self._known = field_names_of(model)
        self.problem: Problem | None = None
        """The problem of the first object over the limit."""

    def of_body(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Prune the outermost object."""
        pruned = self.of_object(dict(found))
        if isinstance(found, TruncatedObject):
            text = (
                f"The body has more than {TOKEN_LIMIT} names, objects or empty lists, or than {TEXT_LIMIT} texts. "
                "Send those that are needed."
            )
            self.problem = self.problem or Problem("", text)
        return pruned

    def of_object(self, found: dict[str, Any], place: str = "") -> dict[str, Any]:
        """Prune an object and the objects in it; `place` is its position in the body."""
        if len(found) > FIELD_LIMIT:
            self.problem = self.problem or Problem(
                place, f"has more than {FIELD_LIMIT} fields. Send those that are needed."
            )
            others = islice((name for name in found if name not in self._known), MAX_REPORTED_PROBLEMS)
            found = {name: found[name] for name in (*(self._known & found.keys()), *others)}
        return {name: self._value(value, f"{place}.{name}" if place else name) for name, value in found.items()}

    def _value(self, value: object, place: str) -> object:
        if type(value) is dict:
            return self.of_object(value, place)
        if type(value) is list and len(value) <= FIELD_LIMIT:  # no model has a longer list of objects
            return [
                self._value(inner, f"{place}[{i}]") if type(inner) is dict else inner for i, inner in enumerate(value)
            ]
        return value


@cache
def field_names_of(model: type[BaseModel]) -> frozenset[str]:
    """Return the names of the fields of a model, and of the models in them."""
    inside = (field_names_of(inner) for field in model.model_fields.values() for inner in models_in(field.annotation))
    return frozenset(model.model_fields).union(*inside)


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Find the models in an annotation such as `list[Model] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)
