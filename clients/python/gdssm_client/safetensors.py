"""Arrays and texts as safetensors: a header of JSON with names, dtypes, shapes and places, and then the numbers."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray[Any]]
KINDS = {"f": "F", "i": "I", "u": "U"}
LENGTH = 8
"""Bytes of the length of the header, and the alignment of the numbers."""
ABOUT = "__metadata__"


def pack(tensors: Mapping[str, NDArray[Any]], about: Mapping[str, str]) -> bytes:
    """Write arrays, and texts about them."""
    header: dict[str, object] = {ABOUT: dict(about)}
    contents, start = [], 0
    for name, array in tensors.items():
        content = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        dtype, end = f"{KINDS[array.dtype.kind]}{8 * array.dtype.itemsize}", start + len(content)
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [start, end]}
        contents.append(content)
        start = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % LENGTH)
    return b"".join([len(text).to_bytes(LENGTH, "little"), text, *contents])


def unpack(content: bytes) -> tuple[Tensors, dict[str, str]]:
    """Read arrays, and the texts about them.

    Raises:
        ValueError: It is something else.
    """
    start = LENGTH + int.from_bytes(content[:LENGTH], "little")
    try:
        header: dict[str, Any] = json.loads(content[LENGTH:start])
        about: dict[str, str] = header.pop(ABOUT, {})
        return {name: _array(content, start, **tensor) for name, tensor in header.items()}, about
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no safetensors: {error}") from error


def _array(content: bytes, start: int, dtype: str, shape: list[int], data_offsets: list[int]) -> NDArray[Any]:
    kind, bits = dtype[0].lower(), int(dtype[1:])
    first, end = data_offsets
    return np.frombuffer(content[start + first : start + end], f"<{kind}{bits // 8}").reshape(shape)
