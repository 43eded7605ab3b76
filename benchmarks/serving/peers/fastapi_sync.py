"""The service that one writes with FastAPI in ten minutes, with a handler that runs in a thread."""

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.serving.model import Model

app = FastAPI()
model = Model.from_environment()


class PredictRequest(BaseModel):
    """A context and the queries."""

    x: list[list[float]]
    y: list[float]
    query: list[list[float]]


@app.post("/predict")
def predict(request: PredictRequest) -> dict[str, list[float]]:
    """Learn from the context and answer the queries."""
    prediction = model(np.array(request.x), np.array(request.y), np.array(request.query))
    return {"prediction": prediction.tolist()}
