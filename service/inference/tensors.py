"""Arrays from binary bodies: held to the same rules as JSON numbers, and coded as safetensors.

Safetensors is a header of JSON (name, dtype, shape and place of each tensor, and texts about them) and then the
numbers, little-endian and without gaps.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import simdjson
from numpy.typing import DTypeLike, NDArray
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from service.errors import InvalidInput, MalformedBody, Problem
from service.inference.checks import is_finite
from service.inference.sizes import Array, shaped
from service.numbers import position
from service.real_numbers import MAX_REPORTED_NUMBERS

Tensors = dict[str, NDArray[Any]]
HEADER_BYTES = 2**20
"""Most bytes of the header; a request has some ten tensors, and an exported context some more."""
NUMBERS = {
    f"{kind}{bits}": np.dtype(f"<{kind.lower()}{bits // 8}")
    for kind, widths in {"F": (16, 32, 64), "I": (8, 16, 32, 64), "U": (8, 16, 32, 64)}.items()
    for bits in widths
}
"""The dtypes of safetensors that are numbers here, as numpy's."""


def numbers_of(array: NDArray[Any], dtype: DTypeLike, field: str, *, missing: bool = False) -> Array:
    """Bring an array to the precision of a model, unless it has it; whole numbers become floating point.

    Args:
        array: Of any dtype and shape.
        dtype: float32 or float64.
        field: What the array is called, to begin every position with.
        missing: Whether NaN is a missing cell, and allowed.

    Raises:
        InvalidInput: It does not hold numbers, or some are not finite; with their positions.
    """
    if array.dtype.kind not in "iuf":
        raise InvalidInput(Problem(field, f"must hold numbers; this is {array.dtype}. Send float64 or float32."))
    numbers: Array = array
    if array.dtype != dtype or not array.flags.aligned:
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = array.astype(dtype)
    if not is_finite(numbers) and not (missing and not np.isinf(numbers).any()):
        raise InvalidInput(*islice(_not_finite(array, numbers, field, missing=missing), MAX_REPORTED_NUMBERS))
    return numbers


def pack(tensors: Mapping[str, NDArray[Any]], about: Mapping[str, str]) -> bytes:
    """Write tensors, and texts about them, as safetensors."""
    return save({name: np.ascontiguousarray(array) for name, array in tensors.items()}, dict(about))


def unpack(content: bytes) -> tuple[Tensors, dict[str, str]]:
    """Read tensors, and the texts about them, from safetensors.

    Raises:
        MalformedBody: The bytes are not that; whatever they are, nothing worse happens.
        InvalidInput: A tensor is there twice, or does not hold numbers.
    """
    if HEADER_BYTES < int.from_bytes(content[:8], "little") < len(content):
        raise MalformedBody(f"The header of safetensors may have at most {HEADER_BYTES} bytes. Send fewer tensors.")
    try:
        found = deserialize(content)  # type: ignore[no-untyped-call]  # written in Rust
    except SafetensorError as error:
        raise MalformedBody(f"The body is not safetensors that can be read: {str(error)[:200]}.") from error
    return {name: _array(name, tensor) for name, tensor in found}, _texts(content)


def _array(name: str, tensor: Mapping[str, Any]) -> NDArray[Any]:
    dtype = NUMBERS.get(tensor["dtype"])
    if dtype is None:
        raise InvalidInput(
            Problem(name[:100], f"has the dtype {tensor['dtype']}; it must be one of {', '.join(NUMBERS)}.")
        )
    return shaped(np.frombuffer(tensor["data"], dtype), tensor["shape"], name[:100])


def _texts(content: bytes) -> dict[str, str]:
    """Read the texts of a header that safetensors has accepted."""
    length = int.from_bytes(content[:8], "little")
    header: Any = simdjson.Parser().parse(content[8 : 8 + length])
    _check_once(header)
    about = header.get("__metadata__")
    if about is None:
        return {}
    _check_once(about)
    texts: dict[str, str] = about.as_dict()
    return texts


def _check_once(found: Any) -> None:  # noqa: ANN401  (an object of simdjson's, which is rarely distinguished from its values)
    """Safetensors takes the last of two tensors of one name; this refuses them."""
    names = [*found]
    if len({*names}) < len(names):
        ((twice, _),) = Counter(names).most_common(1)
        raise InvalidInput(Problem(twice[:100], "is there twice. Send each tensor once."))


def _not_finite(array: NDArray[Any], numbers: Array, field: str, *, missing: bool) -> Iterator[Problem]:
    for found in np.argwhere(np.isinf(numbers) if missing else ~np.isfinite(numbers)):
        place = position(field, found)
        if np.isnan(array[tuple(found)]):
            yield Problem(place, "is NaN. Leave the observation out, or fill the value in.")
        else:
            yield Problem(place, f"is infinite, or too large for {numbers.dtype}. Send a finite number.")
