"""Conversion of parsed JSON to dataclasses; fields that a class does not have are ignored at every depth."""

import types
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

Decoder = Callable[[Any], Any]
NUMBERS = {int, float}


class Mismatch(ValueError):
    """A value is not of the type that is expected."""


@cache
def decoder(kind: Any) -> Decoder:  # noqa: ANN401  (any annotation)
    """Make the function that converts JSON to a type; it raises `Mismatch`.

    Args:
        kind: A dataclass, or a type that is made of dataclasses, JSON's types, unions, literals, times and containers.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _of_union([decoder(argument) for argument in arguments])
    if origin in {list, tuple, dict}:
        return _of_container(origin, arguments)
    if kind is Any or origin is Literal:  # a later service may send other values of a literal
        return _unchanged
    if is_dataclass(kind):
        return _of_class(kind)
    return _of_datetime if kind is datetime else _of_scalar(kind)


def _of_container(origin: Any, arguments: tuple[Any, ...]) -> Decoder:  # noqa: ANN401  (list, tuple or dict)
    if origin is dict:
        return _of_dict(decoder(arguments[1]))
    if origin is list or arguments[1:] == (...,):
        return _of_items(origin, arguments[0])
    return _of_tuple([decoder(argument) for argument in arguments])


def _unchanged(value: Any) -> Any:  # noqa: ANN401
    return value


def _of_class(kind: Any) -> Decoder:  # noqa: ANN401  (a dataclass)
    hints = get_type_hints(kind)
    parts = [(field, _key(field), decoder(hints[field.name])) for field in fields(kind)]

    def decode(value: Any) -> Any:  # noqa: ANN401
        found = {}
        for field, key, part in parts:
            if key in _checked(value, dict):
                found[field.name] = part(value[key])
            elif field.default is MISSING and field.default_factory is MISSING:
                raise Mismatch(f"{kind.__name__} has no {key}")
        return kind(**found)

    return decode


def _key(field: Field[Any]) -> str:
    """Return the name of a field in JSON: `schema_` is `schema`."""
    return field.name.rstrip("_")


def _of_union(parts: list[Decoder]) -> Decoder:
    def decode(value: Any) -> Any:  # noqa: ANN401
        problems = []
        for part in parts:
            try:
                return part(value)
            except Mismatch as problem:
                problems.append(str(problem))
        raise Mismatch(" and ".join(problems))

    return decode


def _of_dict(part: Decoder) -> Decoder:
    return lambda value: {key: part(item) for key, item in _checked(value, dict).items()}


def _of_items(container: Callable[[Any], Any], item: Any) -> Decoder:  # noqa: ANN401  (any annotation)
    part = decoder(item)

    def decode(value: Any) -> Any:  # noqa: ANN401
        if item is float and {*map(type, _checked(value, list))} <= NUMBERS:
            return container(value)
        return container([part(one) for one in _checked(value, list)])

    return decode


def _of_tuple(parts: list[Decoder]) -> Decoder:
    def decode(value: Any) -> Any:  # noqa: ANN401
        if len(_checked(value, list)) != len(parts):
            raise Mismatch(f"a list of {len(value)} where there must be {len(parts)}")
        return tuple(part(item) for part, item in zip(parts, value, strict=True))

    return decode


def _of_datetime(value: Any) -> datetime:  # noqa: ANN401
    try:
        return datetime.fromisoformat(_checked(value, str))
    except ValueError as error:
        raise Mismatch(str(error)) from error


def _of_scalar(kind: type) -> Decoder:
    if kind is float:
        return lambda value: float(value) if type(value) is int else _checked(value, float)
    return lambda value: _checked(value, kind)


def _checked(value: Any, kind: type) -> Any:  # noqa: ANN401
    if type(value) is not kind:
        raise Mismatch(f"{type(value).__name__} where there must be {kind.__name__}")
    return value
