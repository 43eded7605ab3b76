"""The client; generated from `async_client` by .ci/sync_client.py."""

from collections.abc import Mapping, Sequence
from typing import Self

from numpy.typing import ArrayLike
from pydantic import SecretStr

from service.client import array_body, frames, tensor_body
from service.client.answers import PredictionResult
from service.client.call import Call, path, reading
from service.client.contexts import Contexts
from service.client.evaluations import Evaluations
from service.client.sessions import ConnectionSettings, Session
from service.inference.artifact import Manifest
from service.inference.sizes import Array
from service.schemas.models import ModelList


class Client:
    """A client of a service: predictions, models, contexts and evaluations.

    Use it as `with Client(…) as client:`, or close it. Requests that are refused for the moment (429, 502,
    503, 504) or whose connection breaks are retried, after the service's Retry-After. Every change of a context has an
    Idempotency-Key, so that it is made once.

    Args:
        url: Of the service, such as `http://127.0.0.1:8000`. If left out, the service runs in this process, with the
            models that ship and an empty database in memory.
        api_key: If the service requires one; `"env"` reads GDSSM_API_KEY. It is never printed.
        timeout: Seconds to wait for a connection, and for a response.
        retries: How often a request is retried.

    Attributes:
        contexts: The contexts of this API key.
        evaluations: The evaluations of this API key.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | SecretStr | None = None,
        timeout: float = 60.0,
        retries: int = 4,
    ) -> None:
        self._session = Session(ConnectionSettings.to(url, api_key, timeout, retries))
        self.contexts = Contexts(self._session)
        self.evaluations = Evaluations(self._session)

    def __enter__(self) -> Self:
        self._session.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def predict(
        self,
        x: object,
        y: object,
        query: object,
        *,
        weight: object = None,
        model: str | None = None,
        version: str | None = None,
        parameters: Mapping[str, float] | None = None,
        explain: array_body.Explain = False,
        interval: float | None = None,
        quantiles: Sequence[float] | None = None,
    ) -> PredictionResult:
        """Learn from observations and answer queries in one request; the service stores nothing.

        Args:
            x: N rows of D inputs: lists, an array, or a frame of pandas, polars and others; None, NaN, null or masked
                where a cell is missing, for models that accept missing cells.
            y: N outputs, or N rows of K.
            query: M rows of D inputs to predict for; the columns of a frame are matched by the names of x.
            weight: N numbers, how much each observation counts; 1 if left out.
            model: Name of the model; the service's default if left out.
            version: Version of the model; the highest if left out.
            parameters: Numbers by name, such as `{"learning_rate": 0.1}`, for models that have parameters.
            explain: What to explain: names of `implicit_weights`, `contributions`, `effects`, `pairs` and `blocks`, or
                True for all of these that the model has.
            interval: A probability, such as 0.9: also return the bounds between which y lies with it.
            quantiles: Probabilities: also return the values below which y lies with each.

        Returns:
            The predictions, of the same kind as the query.

        Raises:
            InvalidArgument: A value is not a number, or a column is missing; a ValueError too. Nothing was sent.
            ClientError: Any other error of `service.client.errors`.
        """
        inputs, outputs = frames.read(x, "x", missing=True), frames.read(y, "y")
        tensors = {
            "x": inputs.numbers,
            "y": outputs.numbers,
            "weight": None if weight is None else frames.read(weight, "weight").numbers,
            "query": frames.read(query, "query", inputs.names, missing=True).numbers,
        }
        metadata = array_body.options(parameters, explain, interval, quantiles)
        call = Call(
            "POST",
            "/v1/predict",
            array_body.prediction_reader(frames.writer(query, outputs.names)),
            array_body.write(tensors, model=model, version=version, **metadata),
            array_body.SEND_AND_ACCEPT,
        )
        return self._session.send(call)

    def models(self) -> ModelList:
        """List the models that are served."""
        return self._session.send(Call("GET", "/v1/models", reading(ModelList)))

    def model(self, name: str, version: str | None = None) -> Manifest:
        """Get the manifest of a model, of its highest version if none is given."""
        return self._session.send(Call("GET", path("v1", *_model(name, version)), reading(Manifest)))

    def infer(
        self, model: str, tensors: Mapping[str, ArrayLike], *, version: str | None = None, levels: Sequence[int] = ()
    ) -> dict[str, Array]:
        """Run the graph of a model on tensors, named and shaped as in the graph, batch first.

        Args:
            model: Name of the model.
            tensors: `x` (B, N, D), `y` (B, N, K), `weight` (B, N), `x_query` (B, M, D), `state.*` and parameters; those
                left out are empty, ones or zeros.
            version: Version of the model; the highest if left out.
            levels: The columns of x, from 0, that are levels of categories, for models with level among their
                `column_kinds`; the last ones may be new to the state.

        Returns:
            `prediction` (B, M, K), and the state after the observations as `next.*`.
        """
        body, headers = tensor_body.write(tensors, levels)
        call = Call("POST", path("v2", *_model(model, version), "infer"), tensor_body.read, body, headers)
        return self._session.send(call)


def _model(name: str, version: str | None) -> list[str]:
    return ["models", name, *([] if version is None else ["versions", version])]
