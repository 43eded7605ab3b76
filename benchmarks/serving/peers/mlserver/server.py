"""MLServer: a custom runtime, the model in the server's own process."""

import asyncio
import os

from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.serving.model import Model


class Predict(MLModel):
    """A context and queries to predictions."""

    async def load(self) -> bool:
        """Open the model file."""
        self._model = Model.from_environment()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Learn from the context and answer the queries."""
        x, y, query = (NumpyCodec.decode_input(tensor) for tensor in payload.inputs)
        output = NumpyCodec.encode_output("prediction", self._model(x, y, query))
        return InferenceResponse(model_name=self.name, outputs=[output])


async def main() -> None:
    """Serve the one model."""
    settings = Settings(
        host="127.0.0.1",
        http_port=int(os.environ["PORT"]),
        grpc_port=int(os.environ["PORT"]) + 1,
        metrics_port=int(os.environ["PORT"]) + 2,
        parallel_workers=0,
    )
    server = MLServer(settings)
    await server.start([ModelSettings(name="model", implementation=Predict)])


if __name__ == "__main__":
    asyncio.run(main())
