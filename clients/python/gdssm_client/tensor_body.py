"""Tensors in the binary extension of the Open Inference Protocol: JSON, followed by the tensors."""

import json
from collections.abc import Mapping, Sequence

import httpx
import numpy as np
from numpy.typing import ArrayLike

from gdssm_client import frames
from gdssm_client.datatypes import datatype_of, dtype_of
from gdssm_client.learning.sizes import Array

HEADER = "Inference-Header-Content-Length"
CONTENT_TYPE = "application/octet-stream"
SINGLE_PRECISION = {np.dtype(np.float16), np.dtype(np.float32)}
"""Sent as float32."""


def write(tensors: Mapping[str, ArrayLike], levels: Sequence[int] = ()) -> tuple[bytes, dict[str, str]]:
    """Write a request for all outputs; returns body and headers.

    Args:
        tensors: By name.
        levels: The columns of x that are levels of categories.
    """
    arrays = {name: _floating(name, tensor) for name, tensor in tensors.items()}
    inputs = [
        {
            "name": name,
            "shape": array.shape,
            "datatype": datatype_of(array.dtype),
            "parameters": {"binary_data_size": array.nbytes},
        }
        for name, array in arrays.items()
    ]
    parameters = {"binary_data_output": True, **({"levels": [*levels]} if levels else {})}
    about = json.dumps({"inputs": inputs, "parameters": parameters}).encode()
    headers = {"Content-Type": CONTENT_TYPE, HEADER: str(len(about))}
    return b"".join([about, *(array.tobytes() for array in arrays.values())]), headers


def read(response: httpx.Response) -> dict[str, Array]:
    """Read the outputs by name."""
    start = int(response.headers[HEADER])
    outputs = {}
    for output in json.loads(response.content[:start])["outputs"]:
        end = start + output["parameters"]["binary_data_size"]
        numbers = np.frombuffer(response.content[start:end], dtype_of(output["datatype"]))
        outputs[output["name"]] = numbers.reshape(output["shape"])
        start = end
    return outputs


def _floating(name: str, tensor: ArrayLike) -> Array:
    numbers = frames.read(tensor, name, missing=True).numbers
    single = getattr(tensor, "dtype", None) in SINGLE_PRECISION
    return numbers.astype("<f4" if single else "<f8", copy=False)
