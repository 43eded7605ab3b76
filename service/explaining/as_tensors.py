"""Conversion of explanations to tensors by name, for safetensors, and back."""

from collections.abc import Iterable, Mapping

import numpy as np

from service.explaining.terms import Block, Effect, Effects, Pair
from service.inference.sizes import Array

EFFECT_FIELDS = ("strength", "values", "effect", "missing", "lower", "upper")


def tensors_of_effects(found: Effects) -> dict[str, Array]:
    """Convert effects: `effects.base` (*S), `.values` (D, G), `.effect`, `.lower` and `.upper` (D, G, *S).

    `.strength` and `.missing` are (D, *S); S is empty, or K where y is rows. Columns with fewer values end in NaN.
    """
    tensors = {"effects.base": found.base}
    for part in EFFECT_FIELDS:
        arrays = [array for effect in found.columns if (array := getattr(effect, part)) is not None]
        if arrays:
            tensors[f"effects.{part}"] = _stacked(arrays)
    return tensors


def tensors_of_pairs(found: Iterable[Pair], shape: tuple[int, ...]) -> dict[str, Array]:
    """Convert P pairs: `pairs.columns` (P, 2), `.strength` and `.weight` (P, *S)."""
    found = tuple(found)
    return {
        "pairs.columns": np.array([pair.columns for pair in found], float).reshape(-1, 2),
        "pairs.strength": np.array([pair.strength for pair in found]).reshape(-1, *shape),
        "pairs.weight": np.array([pair.weight for pair in found]).reshape(-1, *shape),
    }


def tensors_of_blocks(found: Iterable[Block]) -> dict[str, Array]:
    """Convert blocks: `blocks.probability` and `.strength` (R, *S); their names are metadata."""
    found = tuple(found)
    return {
        f"blocks.{part}": np.stack([getattr(block, part) for block in found]) for part in ("probability", "strength")
    }


def effects_in(tensors: Mapping[str, Array], shape: tuple[int, ...]) -> Effects | None:
    """Read effects; None without them."""
    if "effects.values" not in tensors:
        return None
    arrays = {part: tensors[f"effects.{part}"] for part in EFFECT_FIELDS if f"effects.{part}" in tensors}

    def one(j: int) -> Effect:
        count = int(np.isfinite(arrays["values"][j]).sum())
        along = {"values", "effect", "lower", "upper"}
        return Effect(**{part: array[j, :count] if part in along else array[j] for part, array in arrays.items()})

    return Effects(tensors["effects.base"].reshape(shape), tuple(map(one, range(len(arrays["values"])))))


def pairs_in(tensors: Mapping[str, Array]) -> tuple[Pair, ...] | None:
    """Read pairs; None without them."""
    if "pairs.columns" not in tensors:
        return None
    columns, *parts = (tensors[f"pairs.{part}"] for part in ("columns", "strength", "weight"))
    return tuple(Pair((int(i), int(j)), *rest) for (i, j), *rest in zip(columns, *parts, strict=True))


def blocks_in(tensors: Mapping[str, Array], names: str) -> tuple[Block, ...] | None:
    """Read blocks; None without them. Names are separated by commas."""
    if "blocks.probability" not in tensors:
        return None
    return tuple(map(Block, names.split(","), tensors["blocks.probability"], tensors["blocks.strength"]))


def _stacked(arrays: list[Array]) -> Array:
    """Stack arrays, padding first axes of different lengths with NaN."""
    longest = max(array.shape[0] if array.ndim else 0 for array in arrays)
    if all(array.shape == arrays[0].shape for array in arrays):
        return np.stack(arrays)
    stacked = np.full((len(arrays), longest, *arrays[0].shape[1:]), np.nan)
    for row, array in zip(stacked, arrays, strict=True):
        row[: len(array)] = array
    return stacked
