"""Ray Serve: one replica behind its HTTP proxy."""

import os
import threading

import numpy as np
import ray
from ray import serve
from starlette.requests import Request

from benchmarks.serving.model import Model


@serve.deployment(num_replicas=1)
class Predict:
    """A context and queries to predictions."""

    def __init__(self) -> None:
        self.model = Model.from_environment()

    async def __call__(self, request: Request) -> dict[str, list[float]]:
        """Learn from the context and answer the queries."""
        body = await request.json()
        prediction = self.model(np.array(body["x"]), np.array(body["y"]), np.array(body["query"]))
        return {"prediction": prediction.tolist()}


if __name__ == "__main__":
    ray.init(num_cpus=1, include_dashboard=False, _temp_dir=os.environ.get("RAY_DIRECTORY"))
    serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ["PORT"])})
    serve.run(Predict.bind(), route_prefix="/predict")
    threading.Event().wait()
