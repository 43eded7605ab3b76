"""Applications for comparison, as factories: controls that bound the possible, and services that FastAPI users write.

bare            reads the body and returns a constant: the cost of the transport
orjson_app      JSON by hand: orjson, numpy, onnxruntime, orjson
simd_app        the same with simdjson, which returns numbers as an array
binary_app      bytes, numpy, onnxruntime, bytes
fastapi_async   FastAPI with a coroutine; fastapi_sync with a function that runs in a thread
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.serving.model import Array, Model


def bare() -> ASGIApp:
    """Make the application that returns a constant."""
    return _application(lambda _: b'{"prediction":[0.0]}', b"application/json")


def orjson_app() -> ASGIApp:
    """Make the application that parses with orjson."""
    import orjson  # noqa: PLC0415 - the FastAPI services do not load it

    model = Model.from_environment()

    def answer(body: bytes) -> bytes:
        document = orjson.loads(body)
        prediction = model(np.array(document["x"]), np.array(document["y"]), np.array(document["query"]))
        return orjson.dumps({"prediction": prediction.tolist()})

    return _application(answer, b"application/json")


def simd_app() -> ASGIApp:
    """Make the application that parses with simdjson."""
    import orjson  # noqa: PLC0415 - the FastAPI services do not load them
    import simdjson  # noqa: PLC0415

    model, parser = Model.from_environment(), simdjson.Parser()

    def answer(body: bytes) -> bytes:
        document: Any = parser.parse(body)
        x, y, query = document["x"], document["y"], document["query"]
        prediction = model(_rows(x), _numbers(y), _rows(query))
        del document, x, y, query  # the parser refuses the next document while references to this one exist
        return orjson.dumps({"prediction": prediction.tolist()})

    return _application(answer, b"application/json")


def binary_app() -> ASGIApp:
    """Make the application that reads N, D, M and the numbers of x, y and query, and writes the numbers."""
    model = Model.from_environment()

    def answer(body: bytes) -> bytes:
        rows, inputs, queries = np.frombuffer(body, "<i8", 3)
        numbers = np.frombuffer(body, "<f8", offset=24)
        x, y, query = np.split(numbers, [rows * inputs, rows * inputs + rows])
        return model(x.reshape(rows, inputs), y, query.reshape(queries, inputs)).tobytes()

    return _application(answer, b"application/octet-stream")


class PredictRequest(BaseModel):
    """A context and the queries."""

    x: list[list[float]]
    y: list[float]
    query: list[list[float]]


def fastapi_async() -> FastAPI:
    """Make the usual FastAPI service."""
    app, model = FastAPI(), Model.from_environment()

    @app.post("/predict")
    async def predict(request: PredictRequest) -> dict[str, list[float]]:
        prediction = model(np.array(request.x), np.array(request.y), np.array(request.query))
        return {"prediction": prediction.tolist()}

    return app


def fastapi_sync() -> FastAPI:
    """Make the same with a function that is no coroutine."""
    app, model = FastAPI(), Model.from_environment()

    @app.post("/predict")
    def predict(request: PredictRequest) -> dict[str, list[float]]:
        prediction = model(np.array(request.x), np.array(request.y), np.array(request.query))
        return {"prediction": prediction.tolist()}

    return app


def _application(answer: Callable[[bytes], bytes], content_type: bytes) -> ASGIApp:
    """Make a minimal ASGI application of a function from body to body."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        chunks, more = [], True
        while more:
            message = await receive()
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
        body = answer(b"".join(chunks))
        headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def _numbers(values: Any) -> Array:  # noqa: ANN401 - simdjson is loaded where it is used
    return np.frombuffer(values.as_buffer(of_type="d"))


def _rows(rows: Any) -> Array:  # noqa: ANN401
    return _numbers(rows).reshape(len(rows), -1)
