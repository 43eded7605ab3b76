"""LitServe: the model in a worker process, JSON in and out in the server's."""

import os
from typing import Any

import litserve
import numpy as np

from benchmarks.serving.model import Array, Model


class Predict(litserve.LitAPI):
    """A context and queries to predictions."""

    def setup(self, device: str) -> None:
        """Open the model file in the worker."""
        del device
        self.model = Model.from_environment()

    def decode_request(self, request: dict[str, Any]) -> tuple[Array, Array, Array]:
        """Lists to arrays."""
        return np.array(request["x"]), np.array(request["y"]), np.array(request["query"])

    def predict(self, x: tuple[Array, Array, Array]) -> Array:
        """Learn from the context and answer the queries."""
        return self.model(*x)

    def encode_response(self, output: Array) -> dict[str, list[float]]:
        """An array to a list."""
        return {"prediction": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Predict(), accelerator="cpu", workers_per_device=1, timeout=120)
    server.run(host="127.0.0.1", port=int(os.environ["PORT"]), num_api_servers=1, generate_client_file=False)
