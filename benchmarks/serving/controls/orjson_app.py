"""JSON by hand, with nothing else done: what the work costs."""

import numpy as np
import orjson

from benchmarks.serving.controls.asgi import application
from benchmarks.serving.model import Model

model = Model.from_environment()


def answer(body: bytes) -> bytes:
    """Read, predict, write."""
    asked = orjson.loads(body)
    prediction = model(np.array(asked["x"]), np.array(asked["y"]), np.array(asked["query"]))
    return orjson.dumps({"prediction": prediction.tolist()})


app = application(answer, b"application/json")
