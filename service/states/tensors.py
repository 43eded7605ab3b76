"""The tensors of a state by input name, and their stored form: half of the symmetric comoment, no empty buffer.

The stored form is safetensors, written as `safetensors.numpy.save` writes it to the bit, in a tenth of its time: the
library looks each dtype up by its name, 40 µs for the tensors of one state. A batch writes thousands of states of few
shapes, so the description of the tensors is kept for each combination of shapes.
"""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from service.inference.sizes import Array

State = Mapping[str, Array]
COUNT = "state.count"
"""The state tensor (B,) that every model keeps: the sum of the weights."""
SQUARES = "state.count_of_squares"
"""The tensor (B,) from which the effective number of observations follows, of models with a scale."""
SCALE = ("state.frozen", "state.center", "state.spread")
"""What fixes the features of a state."""
COMOMENT = "state.comoment"
UPPER = "state.comoment.upper"
"""The stored half: the entries on and above the diagonal, row by row."""
BUFFER = ("state.buffer", "state.buffer_present", "state.buffer_weight")
"""Zeros, once the scale of the features is fixed."""
CACHED_SIZE_LIMIT = 512
"""Largest S whose places are kept: 3 MiB."""
DTYPES = {np.dtype("<f4"): ("F32", 4), np.dtype("<f8"): ("F64", 8)}
"""Names in safetensors, and bytes of a number."""
ALIGNMENT = 8
Described = tuple[tuple[str, tuple[str, int], tuple[int, ...]], ...]
"""Name, dtype and shape of each tensor."""


def is_buffered(state: State) -> bool:
    """Whether a state has unprocessed observations, because the scale of its features is not fixed."""
    return SCALE[0] in state and not state[SCALE[0]].all()


def has_negative_buffer(state: State) -> bool:
    """Whether a state has unprocessed observations of which some are taken out."""
    return is_buffered(state) and bool((state["state.buffer_weight"] < 0).any())


def upper(matrix: Array) -> Array:
    """Take the entries on and above the diagonal of (…, S, S): (…, S(S + 1)/2)."""
    size = matrix.shape[-1]
    return matrix.reshape(*matrix.shape[:-2], size * size).take(_places(size)[0], axis=-1)


def full(packed: Array) -> Array:
    """Make the symmetric (…, S, S) of its entries on and above the diagonal; its two halves are equal to the bit.

    Raises:
        ValueError: They are not S(S + 1)/2 for any S.
    """
    size = (math.isqrt(8 * packed.shape[-1] + 1) - 1) // 2
    if size * (size + 1) // 2 != packed.shape[-1]:
        raise ValueError(f"{packed.shape[-1]} numbers are half of no symmetric matrix")
    return packed.take(_places(size)[1], axis=-1).reshape(*packed.shape[:-1], size, size)


def canonical(state: State) -> dict[str, Array]:
    """Let the lower half of the comoment be the upper one, from which rounding may part it, and −0 in the buffer 0."""
    changed = {name: state[name] + 0.0 for name in BUFFER if name in state}
    if COMOMENT in state:
        changed[COMOMENT] = full(upper(state[COMOMENT]))
    return {**state, **changed}


def compact(state: State) -> dict[str, Array]:
    """Leave out of a canonical state what `unpacked` and `with_buffer` add."""
    tensors = {name: tensor for name, tensor in state.items() if name not in BUFFER or tensor.any()}
    if COMOMENT in tensors:
        tensors[UPPER] = upper(tensors.pop(COMOMENT))
    return tensors


def unpacked(tensors: State) -> dict[str, Array]:
    """Put the two halves of the comoment together.

    Raises:
        ValueError: It is half of no symmetric matrix.
    """
    rest = dict(tensors)
    if COMOMENT not in tensors and UPPER in tensors and tensors[UPPER].ndim:
        rest[COMOMENT] = full(rest.pop(UPPER))
    return rest


def with_buffer(state: State, shapes: Mapping[str, tuple[str, tuple[int, ...]]]) -> dict[str, Array]:
    """Add the buffer, if it was left out.

    Args:
        state: Tensors by input name.
        shapes: dtype and shape of each that the model has.
    """
    left_out = [name for name in BUFFER if name in shapes and name not in state]
    return {**state, **{name: np.zeros(shapes[name][1], shapes[name][0]) for name in left_out}}


def as_safetensors(tensors: Mapping[str, Array], key: str, text: str) -> bytes:
    """Write tensors of float32 or float64, and one text of metadata.

    Args:
        tensors: By name.
        key: Of the text.
        text: ASCII.
    """
    described = tuple((name, DTYPES[tensor.dtype], tensor.shape) for name, tensor in tensors.items())
    names, specification = _specification(described)
    header = b'{"__metadata__":{%b:%b}%b}' % (to_json(key), to_json(text), specification)
    header += b" " * (-len(header) % ALIGNMENT)
    return b"".join([len(header).to_bytes(8, "little"), header, *[tensors[name].tobytes() for name in names]])


def _places(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the entries of the half stand in the matrix, and where those of the matrix stand in the half."""
    return _kept_places(size) if size <= CACHED_SIZE_LIMIT else _kept_places.__wrapped__(size)


@lru_cache(maxsize=8)
def _kept_places(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    above = np.tri(size, dtype=bool).T
    in_half = np.zeros((size, size), np.intp)
    in_half[above] = np.arange(size * (size + 1) // 2)
    return np.flatnonzero(above), np.maximum(in_half, in_half.T).ravel()


@lru_cache(maxsize=256)
def _specification(described: Described) -> tuple[tuple[str, ...], bytes]:
    """Return the order of tensors, larger dtypes first and then by name, and their part of the header."""
    ordered = sorted(described, key=lambda tensor: (-tensor[1][1], tensor[0]))
    parts, start = [], 0
    for name, (dtype, size), shape in ordered:
        end = start + size * int(np.prod(shape, dtype=np.int64))
        parts.append(
            b",%b:%b" % (to_json(name), to_json({"dtype": dtype, "shape": shape, "data_offsets": (start, end)}))
        )
        start = end
    return tuple(name for name, _, _ in ordered), b"".join(parts)
