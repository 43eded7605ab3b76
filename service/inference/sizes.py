"""The sizes behind the letters: from arrays to B, N, M, D, K, and from those to the shapes that are missing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import InvalidInput, Problem
from service.inference.artifact import Axis, TensorSpec

Array = NDArray[np.floating]
Sizes = dict[str, int]

ABSENT = {"B": 1, "N": 0, "M": 0}
"""Sizes of letters that no tensor has: one context, no observations, no queries."""


def measure(specs: Iterable[TensorSpec], arrays: Mapping[str, Array]) -> Sizes:
    """Find the size of every letter from the tensors that are there.

    Args:
        specs: Names and shapes of the tensors.
        arrays: Some or all of them.

    Raises:
        InvalidInput: A tensor has the wrong number of axes, or two disagree about a letter.
    """
    sizes: Sizes = {}
    source: dict[str, str] = {}
    for spec in (spec for spec in specs if spec.name in arrays):
        shape = arrays[spec.name].shape
        if len(shape) != len(spec.shape):
            raise _refuse(
                spec, f"needs the shape {_written(spec.shape)}; this has {len(shape)} axes, {_written(shape)}."
            )
        for axis, size in zip(spec.shape, shape, strict=True):
            if isinstance(axis, int):
                if size != axis:
                    raise _refuse(spec, f"needs the shape {_written(spec.shape)}; this is {_written(shape)}.")
                continue
            expected = sizes.setdefault(axis, size)
            if size != expected:
                raise _refuse(spec, f"has {axis} = {size}, but {source[axis]} has {expected}.")
            source.setdefault(axis, spec.name)
    return solve(sizes)


def shape_of(spec: TensorSpec, sizes: Sizes) -> tuple[int, ...]:
    """Work out the shape of a tensor.

    Raises:
        InvalidInput: A letter of it is not known.
    """
    found = [_size_of(axis, sizes) for axis in spec.shape]
    unknown = [str(axis) for axis, size in zip(spec.shape, found, strict=True) if size is None]
    if unknown:
        raise _refuse(spec, f"cannot be left out here: no other tensor has {', '.join(unknown)}.")
    return tuple(size for size in found if size is not None)


def _size_of(axis: Axis, sizes: Sizes) -> int | None:
    if isinstance(axis, int):
        return axis
    if axis in sizes:
        return sizes[axis]
    letters = axis.split("+")
    return sum(sizes[letter] for letter in letters) if all(letter in sizes for letter in letters) else None


def shaped(array: NDArray[Any], shape: Sequence[int], field: str) -> NDArray[Any]:
    """Give an array, which has as many numbers, a shape; one with a zero in it may still be larger than any array.

    Raises:
        InvalidInput: It is.
    """
    try:
        return array.reshape(shape)
    except ValueError as error:
        raise InvalidInput(Problem(field, f"is {_written(shape)}, which is larger than any array.")) from error


def solve(sizes: Sizes) -> Sizes:
    """Close sizes under sums of letters, as D+K, and give absent letters their meaning.

    Raises:
        InvalidInput: A sum is not that of its letters.
    """
    known = {**ABSENT, **sizes}
    for axis in sorted((axis for axis in sizes if "+" in axis), key=len):
        letters = axis.split("+")
        unknown = [letter for letter in letters if letter not in known]
        rest = sum(known[letter] for letter in letters if letter in known)
        if len(unknown) == 1:
            known[unknown[0]] = known[axis] - rest
        elif not unknown and known[axis] != rest:
            written = " and ".join(f"{letter} = {known[letter]}" for letter in letters)
            raise InvalidInput(
                Problem("", f"The state is for {' + '.join(letters)} = {known[axis]}; {written} came with it.")
            )
    if "D" in known and "K" in known:
        known.setdefault("D+K", known["D"] + known["K"])
    return known


def _refuse(spec: TensorSpec, message: str) -> InvalidInput:
    return InvalidInput(Problem(spec.name, message))


def _written(shape: Iterable[Axis]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"
