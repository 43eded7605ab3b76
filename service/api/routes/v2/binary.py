"""The binary tensor extension: tensors as bytes behind the JSON, little-endian, in the order that they have there.

The header Inference-Header-Content-Length says where the JSON ends; `binary_data_size` says how long each tensor is.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.api.routes.v2.datatypes import datatype_of, dtype_of
from service.api.routes.v2.schemas import InferInput, InferOutput, SentParameters
from service.errors import InvalidInput, MalformedBody, Problem
from service.inference.sizes import Array, shaped

JSON_LENGTH_HEADER = "Inference-Header-Content-Length"
CONTENT_TYPE = "application/octet-stream"


def json_length(header: str, body: bytes) -> int:
    """Read the header that says how many bytes of a body are JSON.

    Raises:
        MalformedBody: It is not a number, or not of this body.
    """
    if not (header.isascii() and header.isdecimal() and len(header) < 20 and 0 < int(header) <= len(body)):
        raise MalformedBody(
            f"{JSON_LENGTH_HEADER} must be the number of bytes of JSON at the beginning of the body, from 1 to "
            f"{len(body)}; this is {header[:40]!r}."
        )
    return int(header)


def size_of(sent: InferInput) -> int | None:
    """How many bytes an input has behind the JSON; None if it is in the JSON."""
    return sent.parameters.binary_data_size if sent.parameters else None


def check_total(inputs: list[InferInput], binary: memoryview) -> None:
    """See that what stands behind the JSON is what the inputs say, no less and no more.

    Raises:
        InvalidInput: It is not.
    """
    told = sum(size_of(sent) or 0 for sent in inputs)
    if told != len(binary):
        raise InvalidInput(
            Problem(
                "inputs",
                f"have {told} bytes behind the JSON by their binary_data_size; there are {len(binary)}. "
                f"Send {JSON_LENGTH_HEADER} with the length of the JSON, and behind it each tensor in full.",
            )
        )


def read(sent: InferInput, content: memoryview, field: str) -> NDArray[Any]:
    """Read an input from its bytes.

    Args:
        sent: What the JSON says of it.
        content: Its bytes.
        field: Where it stands in the request.

    Raises:
        InvalidInput: They are not as many as its shape says.
    """
    dtype = dtype_of(sent.datatype)
    needed = prod(sent.shape) * dtype.itemsize
    if needed != len(content):
        message = f"is {len(content)}; {sent.datatype} of the shape {sent.shape} has {needed} bytes."
        raise InvalidInput(Problem(f"{field}.parameters.binary_data_size", message))
    return shaped(np.frombuffer(content, dtype), sent.shape, f"{field}.shape")


def write(name: str, array: Array) -> tuple[InferOutput, bytes]:
    """Write an output: what the JSON says of it, and its bytes."""
    content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    about = InferOutput(
        name=name,
        datatype=datatype_of(array.dtype),
        shape=list(array.shape),
        parameters=SentParameters(binary_data_size=len(content)),
    )
    return about, content
