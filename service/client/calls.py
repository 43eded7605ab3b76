"""Every call of the API that is about models and predictions, written once; see `context_calls` for the others."""

from collections.abc import Mapping, Sequence

from numpy.typing import ArrayLike

from service.artifact import Manifest
from service.client import array_body, frames, tensor_body
from service.client.answers import ModelList, Prediction
from service.client.call import Call, path, reading
from service.shapes import Array


class Calls:
    """What a client asks for itself."""

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
    ) -> Call[Prediction]:
        """Learn from observations and answer queries, in one call; nothing is kept.

        Args:
            x: N rows of D inputs: lists, an array, or a frame of pandas, polars and the like; None, NaN, null
                or masked where a cell is missing, for models that take missing cells.
            y: N outputs, or N rows of K.
            query: M rows of D inputs to predict for; the columns of a frame are found by the names of x.
            weight: N numbers, how much each observation counts; 1 if left out.
            model: By name; the service's default if left out.
            version: Of the model; the highest if left out.
            parameters: Numbers by name, as `{"learning_rate": 0.1}`, for models that take them.
            explain: What to explain: names of `implicit_weights`, `contributions`, `effects`, `pairs` and `blocks`, or
                True for all of these that the model has.
            interval: A probability, as 0.9: the bounds between which y lies with it are answered too.
            quantiles: Probabilities: the values below which y lies with each are answered too.

        Returns:
            The predictions in the kind of the query.

        Raises:
            ClientError: Whatever `service.client.errors` has; `InvalidArgument`, which is a ValueError, if something is
                not numbers, or a column is missing.
        """
        inputs, outputs = frames.read(x, "x", missing=True), frames.read(y, "y")
        arrays = {
            "x": inputs.numbers,
            "y": outputs.numbers,
            "weight": None if weight is None else frames.read(weight, "weight").numbers,
            "query": frames.read(query, "query", inputs.names, missing=True).numbers,
        }
        texts = array_body.texts_of(parameters, explain, interval, quantiles)
        return Call(
            "POST",
            "/v1/predict",
            array_body.prediction_reader(frames.writer(query, outputs.names)),
            array_body.write(arrays, model=model, version=version, **texts),
            array_body.BOTH_WAYS,
        )

    def models(self) -> Call[ModelList]:
        """List the models in service."""
        return Call("GET", "/v1/models", reading(ModelList))

    def model(self, name: str, version: str | None = None) -> Call[Manifest]:
        """Show the whole manifest of a model, of its highest version if none is named."""
        return Call("GET", path("v1", "models", name, *_version(version)), reading(Manifest))

    def infer(
        self, model: str, tensors: Mapping[str, ArrayLike], *, version: str | None = None
    ) -> Call[dict[str, Array]]:
        """Run a model itself: tensors in, tensors out, named and shaped as in its graph, batch first.

        Args:
            model: By name.
            tensors: `x` (B, N, D), `y` (B, N, K), `weight` (B, N), `x_query` (B, M, D), `state.*`, parameters; what is
                left out is empty, ones or zeros.
            version: Of the model; the highest if left out.

        Returns:
            `prediction` (B, M, K) and the state after the observations as `next.*`.
        """
        body, headers = tensor_body.write(tensors)
        return Call("POST", path("v2", "models", model, *_version(version), "infer"), tensor_body.read, body, headers)


def _version(version: str | None) -> list[str]:
    return [] if version is None else ["versions", version]
