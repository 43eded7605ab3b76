"""Requests of the protocol."""

import json
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from tests.service.in_process import InProcess

Body = dict[str, Any]
JSON_LENGTH_HEADER = "Inference-Header-Content-Length"
X = np.array([[[1.0, 2.0], [3.0, 1.0], [0.5, 1.0]]])
Y = np.array([[[1.0], [2.0], [-1.0]]])
X_QUERY = np.array([[[1.0, 1.0], [4.0, 0.0]]])
TASK = {"x": X, "y": Y, "x_query": X_QUERY}


def in_json(name: str, array: NDArray[Any], datatype: str = "FP64") -> Body:
    """An input as JSON numbers."""
    return {"name": name, "shape": list(array.shape), "datatype": datatype, "data": array.ravel().tolist()}


def in_binary(name: str, array: NDArray[Any], datatype: str = "FP64") -> Body:
    """An input as bytes after the JSON."""
    about = {"name": name, "shape": list(array.shape), "datatype": datatype}
    return {**about, "parameters": {"binary_data_size": array.nbytes}}


def task(**changes: object) -> Body:
    """A request in JSON, with changed fields."""
    return {"inputs": [in_json(name, array) for name, array in TASK.items()], **changes}


def binary_task(**changes: object) -> Body:
    """The JSON of a request with binary tensors."""
    return {"inputs": [in_binary(name, array) for name, array in TASK.items()], **changes}


BINARY_TENSORS = b"".join(array.tobytes() for array in TASK.values())


def infer(client: InProcess, body: object, model: str = "gd-1") -> httpx.Response:
    """Send a request in JSON."""
    return client.request("POST", f"/v2/models/{model}/infer", json=body)


def infer_binary(
    client: InProcess,
    body: Body,
    binary_tensors: bytes = BINARY_TENSORS,
    model: str = "gd-1",
    header: str | None = None,
) -> httpx.Response:
    """Send a request with bytes after its JSON; the header may be wrong."""
    content = json.dumps(body).encode()
    headers = {
        JSON_LENGTH_HEADER: str(len(content)) if header is None else header,
        "Content-Type": "application/octet-stream",
    }
    return client.request("POST", f"/v2/models/{model}/infer", content=content + binary_tensors, headers=headers)


def outputs_of(answer: httpx.Response) -> dict[str, NDArray[Any]]:
    """Read the tensors of a response, as JSON or binary."""
    assert answer.status_code == 200, answer.text
    length = int(answer.headers.get(JSON_LENGTH_HEADER, len(answer.content)))
    head, rest = json.loads(answer.content[:length]), answer.content[length:]
    found = {}
    for output in head["outputs"]:
        dtype = {"FP64": "<f8", "FP32": "<f4"}[output["datatype"]]
        if "data" in output:
            array = np.array(output["data"], dtype)
        else:
            size = output["parameters"]["binary_data_size"]
            array, rest = np.frombuffer(rest[:size], dtype), rest[size:]
        found[output["name"]] = array.reshape(output["shape"])
    assert not rest
    return found
