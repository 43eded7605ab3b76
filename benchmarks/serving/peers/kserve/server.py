"""KServe's Python server: a model of one's own behind the Open Inference Protocol."""

import os

from kserve import InferOutput, InferRequest, InferResponse, ModelServer
from kserve import Model as Served

from benchmarks.serving.model import Model


class Predict(Served):
    """A context and queries to predictions."""

    def load(self) -> bool:
        """Open the model file."""
        self.model = Model.from_environment()
        self.ready = True
        return self.ready

    async def predict(self, payload: InferRequest, headers: dict[str, str] | None = None) -> InferResponse:
        """Learn from the context and answer the queries."""
        del headers
        x, y, query = (tensor.as_numpy() for tensor in payload.inputs)
        prediction = self.model(x, y, query)
        output = InferOutput("prediction", list(prediction.shape), "FP64")
        output.set_data_from_numpy(prediction, binary_data=False)
        return InferResponse(payload.id, self.name, [output])


if __name__ == "__main__":
    model = Predict("model")
    model.load()
    ModelServer(http_port=int(os.environ["PORT"]), enable_grpc=False, workers=1).start([model])
