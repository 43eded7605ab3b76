"""What there is to explain, by name, and which models have it."""

from collections.abc import Collection, Mapping
from typing import Literal

from service.artifact import Manifest
from service.errors import InvalidInput, Problem, UnsupportedByModel
from service.explaining.contributions import check_linear
from service.explaining.implicit_weights import check_affine
from service.explaining.readout import check_readout
from service.numbers import named

Part = Literal["implicit_weights", "contributions", "effects", "pairs", "blocks"]
PARTS: tuple[Part, ...] = ("implicit_weights", "contributions", "effects", "pairs", "blocks")
"""All of them stand for what the model has."""
TERMS: frozenset[Part] = frozenset({"effects", "pairs", "blocks"})


def parts(value: object, name: str) -> tuple[Part, ...]:
    """Read what is to be explained: true is all that the model has, false or null nothing, a list of names those.

    Raises:
        InvalidInput: It is none of these.
    """
    if value is None or isinstance(value, bool):
        return PARTS if value else ()
    if not isinstance(value, list) or not all(part in PARTS for part in value):
        names = ", ".join(f'"{part}"' for part in PARTS)
        raise InvalidInput(Problem(name, f"must be true, false or a list of {names}; this is {named(value)}."))
    return tuple(part for part in PARTS if part in value)


def available(manifest: Manifest, parameters: Mapping[str, float], explain: Collection[Part]) -> set[Part]:
    """Choose what to explain: the parts that are named, or, if all are, those that the model has.

    Raises:
        UnsupportedByModel: It lacks what is named, or has nothing at all.
    """
    if set(explain) != set(PARTS):
        for part in explain:
            _check(part, manifest, parameters)
        return set(explain)
    found = {part for part in PARTS if _has(part, manifest, parameters)}
    if not found:
        text = f"model {manifest.name} has no explanation of its predictions. Leave explain out, or ask another model."
        raise UnsupportedByModel(Problem("explain", text))
    return found


def _has(part: Part, manifest: Manifest, parameters: Mapping[str, float]) -> bool:
    try:
        _check(part, manifest, parameters)
    except UnsupportedByModel:
        return False
    return True


def _check(part: Part, manifest: Manifest, parameters: Mapping[str, float]) -> None:
    if part == "implicit_weights":
        check_affine(manifest)
    elif part == "contributions":
        check_linear(manifest, parameters)
    else:
        check_readout(manifest, part)
