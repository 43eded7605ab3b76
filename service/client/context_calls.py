"""Every call of the API that is about contexts, written once."""

from collections.abc import Mapping, Sequence
from typing import Literal

import httpx
from numpy.typing import ArrayLike

from service.client import array_body, frames
from service.client.answers import ContextList, ContextRecord, Page, Prediction
from service.client.call import JSON, Call, drop_none, json_body, nothing, once, path, reading

CONTEXTS = path("v1", "contexts")
CONTEXT = reading(ContextRecord)
Scale = tuple[ArrayLike, ArrayLike]
"""Center and spread of each column of x."""


Columns = Mapping[Literal["x", "y"], Sequence[str]]
"""Names of the columns of x and of y."""


class ContextsCalls:
    """What is asked of all contexts of the caller."""

    def create(
        self,
        model: str | None = None,
        *,
        version: str | None = None,
        decay: float | Literal["auto"] | None = None,
        ttl: int | None = None,
        scale: Scale | None = None,
        like: str | None = None,
        columns: Columns | None = None,
    ) -> Call[ContextRecord]:
        """Make an empty context.

        Args:
            model: By name, one that streams; the service's default if left out.
            version: Of the model; the highest if left out.
            decay: What is left of the weight of every observation after one more, such as 0.99; "auto" finds it out
                from the observations; None forgets nothing.
            ttl: Seconds that it is kept after its last use.
            scale: Center and spread of each column, for models that make features of them: contexts of one scale
                merge exactly. Left out, the first 33 observations say it.
            like: The id of a context whose scale this one is to have.
            columns: Names of the columns: `{"x": […], "y": […]}` or one of the two; left out, those of the first frame
                that is observed.
        """
        names = None if columns is None else {axis: list(found) for axis, found in columns.items()}
        named = None if scale is None else _named(*scale)
        body = json_body(model=model, version=version, decay=decay, ttl=ttl, scale=named, like=like, columns=names)
        return Call("POST", CONTEXTS, CONTEXT, body, {"Content-Type": JSON, **once()})

    def get(self, context_id: str) -> Call[ContextRecord]:
        """Look a context up by its id."""
        return Call("GET", path("v1", "contexts", context_id), CONTEXT)

    def list(self, *, limit: int | None = None, after: str | None = None) -> Call[Page[ContextRecord]]:
        """List the contexts under this key, oldest first.

        Args:
            limit: Most of them on this page.
            after: The `after` of the page before.
        """
        call = Call("GET", CONTEXTS, reading(ContextList), params=drop_none(limit=limit, after=after))
        return call.then(lambda page: Page(page.contexts, page.after))

    def load(self, content: bytes, *, ttl: int | None = None) -> Call[ContextRecord]:
        """Make a context of the bytes that `export` gave, here or at another service."""
        headers = {"Content-Type": "application/octet-stream", **once()}
        return Call("POST", f"{CONTEXTS}/import", CONTEXT, content, headers, drop_none(ttl=ttl))


class ContextCalls:
    """What is asked of one context.

    Attributes:
        record: What the service last told of it, the names of its columns among that.
    """

    def __init__(self, record: ContextRecord) -> None:
        self.record = record
        self._path = path("v1", "contexts", record.id)

    def __str__(self) -> str:
        told = self.record
        return f"context {told.id} of {told.model.name} {told.model.version}: {told.n_observations} observations"

    def observe(
        self,
        x: object,
        y: object,
        *,
        weight: object = None,
        if_version: int | None = None,
        allow_precision_loss: bool = False,
    ) -> Call[ContextRecord]:
        """Learn further observations; however often it is sent, it counts once.

        Args:
            x: N rows of D inputs: lists, an array or a frame; None, NaN or null where a cell is missing. The columns of
                a frame are found by their names, which the context keeps from the first frame on.
            y: N outputs, or N rows of K.
            weight: N numbers; 1 if left out, −w takes an observation out again.
            if_version: Learn only if the context is still of this version; `Conflict` otherwise.
            allow_precision_loss: Learn even if what the context has seen loses its significant digits by it;
                `InvalidInput` otherwise.
        """
        inputs, outputs = frames.read(x, "x", missing=True), frames.read(y, "y")
        counts = None if weight is None else frames.read(weight, "weight").numbers
        return Call(
            "POST",
            f"{self._path}/observations",
            CONTEXT,
            array_body.write(
                {"x": inputs.numbers, "y": outputs.numbers, "weight": counts},
                columns=array_body.names_text(inputs.names, outputs.names),
                allow_precision_loss="true" if allow_precision_loss else None,
            ),
            {"Content-Type": array_body.CONTENT_TYPE, **once(), **_if(if_version)},
        ).then(self._remember)

    def predict(
        self,
        query: object,
        *,
        parameters: Mapping[str, float] | None = None,
        explain: array_body.Explain = False,
        interval: float | None = None,
        quantiles: Sequence[float] | None = None,
    ) -> Call[Prediction]:
        """Answer queries from what the context has seen; it does not change.

        Args:
            query: M rows of D inputs; the columns of a frame are found by the names that the context has.
            parameters: Numbers by name, for models that take them.
            explain: What to explain: names of `implicit_weights`, `effects`, `pairs` and `blocks`, or True for all of
                these that the model has.
            interval: A probability, as 0.9: the bounds between which y lies with it are answered too.
            quantiles: Probabilities: the values below which y lies with each are answered too.
        """
        asked, known = frames.read(query, "query", missing=True), self.record.columns
        texts = array_body.texts_of(parameters, explain, interval, quantiles)
        return Call(
            "POST",
            f"{self._path}/predictions",
            array_body.prediction_reader(frames.writer(query, None if known is None else known.y)),
            array_body.write({"query": asked.numbers}, columns=array_body.names_text(asked.names), **texts),
            array_body.BOTH_WAYS,
        )

    def merge(
        self, other: str, *, if_version: int | None = None, allow_precision_loss: bool = False
    ) -> Call[ContextRecord]:
        """Add what another context of the same model has seen; that one, named by its id, stays as it is.

        Args:
            other: The id.
            if_version: As for `observe`.
            allow_precision_loss: As for `observe`.
        """
        headers = {"Content-Type": JSON, **once(), **_if(if_version)}
        body = json_body(context=other, allow_precision_loss=allow_precision_loss or None)
        return Call("POST", f"{self._path}/merge", CONTEXT, body, headers).then(self._remember)

    def refresh(self) -> Call[ContextRecord]:
        """Look at it again, with the linear model that it amounts to."""
        return Call("GET", self._path, CONTEXT).then(self._remember)

    def export(self) -> Call[bytes]:
        """Write it down as portable bytes."""
        return Call("GET", f"{self._path}/state", _bytes)

    def delete(self, *, if_version: int | None = None) -> Call[None]:
        """Forget it."""
        return Call("DELETE", self._path, nothing, headers={**once(), **_if(if_version)})

    def _remember(self, record: ContextRecord) -> ContextRecord:
        self.record = record
        return record


def _named(center: ArrayLike, spread: ArrayLike) -> dict[str, list[float]]:
    named = {"center": center, "spread": spread}
    return {name: frames.read(values, f"scale.{name}").numbers.tolist() for name, values in named.items()}


def _if(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}


def _bytes(response: httpx.Response) -> bytes:
    return response.content
