"""How a request is written and its answer read: each contestant is asked in its own words."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from safetensors.numpy import load, save

from benchmarks.serving.payloads import Array, Payload

JSON = "application/json"
SAFETENSORS = "application/vnd.safetensors"


@dataclass(frozen=True)
class Form:
    """One way to ask for a prediction."""

    path: str
    write: Callable[[Payload, str], bytes]
    """Payload and name of the model to a body."""
    read: Callable[[bytes], Array]
    """An answer to M predictions."""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further ones."""


def _plain(payload: Payload, _: str) -> bytes:
    asked = {"x": payload.x.tolist(), "y": payload.y.tolist(), "query": payload.query.tolist()}
    return json.dumps(asked).encode()


def _gdssm(payload: Payload, model: str) -> bytes:
    context = {"x": payload.x.tolist(), "y": payload.y.tolist()}
    return json.dumps({"model": model, "context": context, "query": payload.query.tolist()}).encode()


def _safetensors(payload: Payload, model: str) -> bytes:
    return save({"x": payload.x, "y": payload.y, "query": payload.query}, {"model": model})


def _raw(payload: Payload, _: str) -> bytes:
    """N, D and M, then the numbers of x, y and query."""
    sizes = np.array([*payload.x.shape, len(payload.query)], "<i8")
    return sizes.tobytes() + payload.x.tobytes() + payload.y.tobytes() + payload.query.tobytes()


def _v2(payload: Payload, _: str) -> bytes:
    """Write the tensors of the Open Inference Protocol, flat, as its clients do."""
    arrays = {"x": payload.x, "y": payload.y, "query": payload.query}
    return json.dumps(
        {
            "id": "1",
            "inputs": [
                {"name": name, "shape": array.shape, "datatype": "FP64", "data": array.ravel().tolist()}
                for name, array in arrays.items()
            ],
        }
    ).encode()


def _prediction(answer: bytes) -> Array:
    return np.array(json.loads(answer)["prediction"])


def _first_output(answer: bytes) -> Array:
    return np.array(json.loads(answer)["outputs"][0]["data"])


GDSSM_JSON = Form("/v1/predict", _gdssm, _prediction)
GDSSM_BINARY = Form(
    "/v1/predict", _safetensors, lambda answer: load(answer)["prediction"], SAFETENSORS, {"Accept": SAFETENSORS}
)
PLAIN = Form("/predict", _plain, _prediction)
RAW = Form("/predict", _raw, lambda answer: np.frombuffer(answer, "<f8"), "application/octet-stream")


def v2(name: str) -> Form:
    """Ask in the Open Inference Protocol, for the model of a name."""
    return Form(f"/v2/models/{name}/infer", _v2, _first_output)
