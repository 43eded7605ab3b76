"""The client; generated from `async_client` by .ci/sync_client.py."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from numpy.typing import ArrayLike

from gdssm_client import array_body, batch_body, frames, table_body, tensor_body
from gdssm_client.answers import PredictionResult, TablePredictionResult
from gdssm_client.call import JSON_TYPE, Call, json_body, path, reading
from gdssm_client.choices import Decimal, Kind, Task
from gdssm_client.contexts import Contexts
from gdssm_client.evaluations import Evaluations
from gdssm_client.learning.sizes import Array
from gdssm_client.schemas import FailedItem, Manifest, ModelList, ObservationResults, ObservedItem, PredictedItem
from gdssm_client.secret import SupportsSecret
from gdssm_client.sessions import ConnectionSettings, Session


class Client:
    """A client of a service: predictions, models, contexts and evaluations.

    Use it as `with Client(…) as client:`, or close it. Requests that are refused for the moment (429, 502,
    503, 504) or whose connection breaks are retried, after the service's Retry-After. Every change of a context has an
    Idempotency-Key, so that it is made once.

    Args:
        url: Of the service, such as `http://127.0.0.1:8000`; GDSSM_URL if left out. If there is none, or `"local"`, the
            service runs in this process, with the models that ship and an empty database in memory.
        api_key: If the service requires one; GDSSM_API_KEY if left out, `""` for none. It is never printed.
        timeout: Seconds to wait for a connection, and for a response.
        retries: How often a request is retried; each retry is a line of the logger `gdssm_client`.
        deadline: Seconds for a call with all its retries; no limit if left out.
        progress: Whether to show the progress of long work on the standard error, if that is a terminal: of tables and
            rows that are sent, and of evaluations that are waited for.

    Attributes:
        contexts: The contexts of this API key.
        evaluations: The evaluations of this API key.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | SupportsSecret | None = None,
        timeout: float = 60.0,
        retries: int = 4,
        deadline: float | None = None,
        progress: bool = False,
    ) -> None:
        self._session = Session(ConnectionSettings.to(url, api_key, timeout, retries, deadline, progress=progress))
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
            ClientError: Any other error of `gdssm_client.errors`.
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

    def observe_many(
        self,
        x: object,
        y: object,
        *,
        contexts: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        weight: object = None,
        create: Mapping[str, object] | None = None,
        allow_precision_loss: bool = False,
    ) -> ObservationResults:
        """Learn observations of many contexts; a retried request counts once.

        More than 10,000 rows are sent as several requests; each learns the rows of one context together.

        Args:
            x: N rows of D inputs; lists, an array or a frame.
            y: N outputs, or N rows of K.
            contexts: The id of the context of each row.
            names: The name of the context of each row, instead of the ids.
            weight: N numbers; 1 if left out, −w removes an observation again.
            create: Create contexts of unknown names with these fields, such as `{"model": "linear", "decay": 0.99}`.
            allow_precision_loss: Learn even if earlier observations lose their significant digits by it.

        Returns:
            One result for each context of a request, with the numbers of its rows: its version, or its error.
        """
        inputs, outputs = frames.read(x, "x", missing=True), frames.read(y, "y")
        weights = None if weight is None else frames.read(weight, "weight").numbers
        texts = {
            "columns": array_body.column_names(inputs.names, outputs.names),
            "create": None if create is None else json_body(**create).decode(),
            "allow_precision_loss": "true" if allow_precision_loss else None,
        }
        results: list[ObservedItem | FailedItem] = []
        everything = batch_body.observations(contexts, names, inputs, outputs, weights)
        with self._session.connection.bar("Observing", len(everything.contexts)) as bar:
            for start, rows in everything.parts():
                found = self._session.send(batch_body.observe_call(rows, texts))
                results += [batch_body.moved(result, start) for result in found.results]
                bar.update(start + len(rows.contexts))
        failed = sum(isinstance(result, FailedItem) for result in results)
        return ObservationResults(results=results, failed=failed)

    def predict_many(
        self,
        query: object,
        *,
        contexts: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        interval: float | None = None,
        max_age: int | None = None,
    ) -> batch_body.BatchPrediction:
        """Answer queries to many contexts, which do not change.

        Args:
            query: M rows of D inputs.
            contexts: The id of the context of each row.
            names: The name of the context of each row, instead of the ids.
            interval: A probability, such as 0.9: also return the bounds between which y lies with it.
            max_age: Seconds by which each context may have changed since the state that answers; see `Context.predict`.
        """
        inputs = frames.read(query, "query", missing=True)
        field, targets = batch_body.contexts_of(contexts, names)
        texts = {
            "columns": array_body.column_names(inputs.names),
            "interval": None if interval is None else repr(frames.number(interval, "interval")),
        }
        results: list[PredictedItem | FailedItem] = []
        everything = batch_body.ContextRows(field, targets, {"query": inputs.numbers})
        with self._session.connection.bar("Predicting", len(targets)) as bar:
            for start, rows in everything.parts():
                found = self._session.send(batch_body.predict_call(rows, texts, max_age))
                results += [batch_body.moved(result, start) for result in found.results]
                bar.update(start + len(rows.contexts))
        return batch_body.together(query, len(targets), results)

    def predict_table(
        self,
        rows: object,
        query: object = None,
        *,
        target: str,
        features: Sequence[str] | None = None,
        ignore: Sequence[str] = (),
        keys: Sequence[str] = (),
        weight: str | None = None,
        kinds: Mapping[str, Kind] | None = None,
        task: Task | None = None,
        decimal: Decimal | None = None,
        missing: Sequence[str] = (),
        schema: Mapping[str, Any] | None = None,
        model: str | None = None,
        version: str | None = None,
        parameters: Mapping[str, float] | None = None,
        interval: float | None = None,
        quantiles: Sequence[float] | None = None,
    ) -> TablePredictionResult:
        """Predict a column of a table with text, gaps and dates, as `POST /v1/predict` does; nothing is stored.

        Args:
            rows: The table: a frame, a list of records, or a mapping of columns. The rows with a target are learnt.
            query: The rows to predict, a table too; if left out, the rows without a target.
            target: The column to predict: numbers or classes.
            features: The columns to predict from; all others if left out.
            ignore: Columns that are not used.
            keys: Columns that name the rows; they are returned.
            weight: A column of numbers: how much each row counts.
            kinds: What columns hold, by name: "number", "yes_no", "category", "time" or "left_out"; otherwise inferred.
            task: "classification" if the values of the target are classes even though they are numbers.
            decimal: The decimal sign of numbers in text.
            missing: Texts that mean that a cell is missing, in addition to the usual ones.
            schema: `schema` of an earlier result, instead of an inferred one.
            model: Name of the model; if left out, the service's default, or `classifier` for classes.
            version: Version of the model; the highest if left out.
            parameters: Numbers by name, for models that have parameters.
            interval: A probability, such as 0.9: also return the bounds between which y lies with it.
            quantiles: Probabilities: also return the values below which y lies with each.

        Raises:
            InvalidArgument: It is no table, or a column has an unsupported type; a ValueError too. Nothing was sent.
            ClientError: Any other error of `gdssm_client.errors`.
        """
        body = json_body(
            rows=table_body.columns_of(rows, "rows"),
            query=None if query is None else table_body.columns_of(query, "query"),
            target=target,
            features=table_body.as_list(features),
            ignore=table_body.as_list(ignore),
            keys=table_body.as_list(keys),
            weight=weight,
            kinds=kinds,
            task=task,
            decimal=decimal,
            missing=table_body.as_list(missing),
            schema=schema,
            model=model,
            version=version,
            parameters=parameters,
            interval=interval,
            quantiles=array_body.quantile_list(quantiles),
        )
        read = table_body.prediction_reader(rows, query, target)
        return self._session.send(Call("POST", "/v1/predict", read, body, JSON_TYPE, label="Sending the table"))

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
