"""The binary tensor extension: tensors as little-endian bytes after the JSON, in the order of the JSON.

The header Inference-Header-Content-Length has the length of the JSON, `binary_data_size` that of each tensor.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.api.routes.v2.datatypes import datatype_of, dtype_of
from service.api.routes.v2.schemas import InferInput, InferOutput, OutputEncoding
from service.errors import InvalidInput, MalformedBody, Problem
from service.inference.sizes import Array, shaped

JSON_LENGTH_HEADER = "Inference-Header-Content-Length"
CONTENT_TYPE = "application/octet-stream"


def json_length(header: str, body: bytes) -> int:
    """Read the header with the length of the JSON.

    Raises:
        MalformedBody: It is not a number, or larger than the body.
    """
    if not (header.isascii() and header.isdecimal() and len(header) < 20 and 0 < int(header) <= len(body)):
        raise MalformedBody(
            f"{JSON_LENGTH_HEADER} must be the number of bytes of JSON at the beginning of the body, from 1 to "
            f"{len(body)}; this is {header[:40]!r}."
        )
    return int(header)


def size_of(sent: InferInput) -> int | None:
    """Return the size of an input in bytes after the JSON; None if it is in the JSON."""
    return sent.parameters.binary_data_size if sent.parameters else None


def check_total(inputs: list[InferInput], binary: memoryview) -> None:
    """Check that the bytes after the JSON have the total size of the inputs.

    Raises:
        InvalidInput: There are more or fewer bytes.
    """
    total = sum(size_of(sent) or 0 for sent in inputs)
    if total != len(binary):
        raise InvalidInput(
            Problem(
                "inputs",
                f"have {total} bytes after the JSON by their binary_data_size; there are {len(binary)}. "
                f"Send {JSON_LENGTH_HEADER} with the length of the JSON, and after the JSON each tensor in full.",
            )
        )


def read(sent: InferInput, content: memoryview, field: str) -> NDArray[Any]:
    """Read an input from its bytes.

    Args:
        sent: Its description in the JSON.
        content: Its bytes.
        field: Its position in the request, for messages.

    Raises:
        InvalidInput: The number of bytes does not fit the shape.
    """
    dtype = dtype_of(sent.datatype)
    needed = prod(sent.shape) * dtype.itemsize
    if needed != len(content):
        message = f"is {len(content)}; {sent.datatype} of the shape {sent.shape} has {needed} bytes."
        raise InvalidInput(Problem(f"{field}.parameters.binary_data_size", message))
    return shaped(np.frombuffer(content, dtype), sent.shape, f"{field}.shape")


def write(name: str, array: Array) -> tuple[InferOutput, bytes]:
    """Write an output: its description in the JSON, and its bytes."""
    content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    description = InferOutput(
        name=name,
        datatype=datatype_of(array.dtype),
        shape=list(array.shape),
        parameters=OutputEncoding(binary_data_size=len(content)),
    )
    return description, content
