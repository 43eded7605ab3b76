"""BentoML: a service of one worker process."""

import bentoml
import numpy as np

from benchmarks.serving.model import Model


@bentoml.service(workers=1)
class Predict:
    """A context and queries to predictions."""

    def __init__(self) -> None:
        self.model = Model.from_environment()

    @bentoml.api
    def predict(self, x: np.ndarray, y: np.ndarray, query: np.ndarray) -> dict[str, list[float]]:
        """Learn from the context and answer the queries."""
        return {"prediction": self.model(x, y, query).tolist()}
