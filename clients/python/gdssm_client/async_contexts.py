"""Contexts on a service, for asyncio and trio; `contexts` is generated from this module."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from gdssm_client import array_body, extras, frames
from gdssm_client.answers import Page, PredictionResult
from gdssm_client.call import (
    JSON_TYPE,
    Call,
    drop_none,
    if_match,
    json_body,
    max_age_header,
    new_idempotency_key,
    path,
    reading,
)
from gdssm_client.schemas import ContextPage, ContextView
from gdssm_client.sessions import AsyncSession

if TYPE_CHECKING:
    from gdssm_client.async_streams import AsyncStream

CONTEXTS = path("v1", "contexts")
read_context = reading(ContextView)


class AsyncContext:
    """A context on the service.

    Attributes:
        record: The context as the service last returned it.
    """

    def __init__(self, session: AsyncSession, record: ContextView) -> None:
        self._session = session
        self._path = path("v1", "contexts", record.id)
        self.record = record

    def __repr__(self) -> str:
        model, count = self.record.model, self.record.n_observations
        return f"<context {self.id} of {model.name} {model.version}: {count} observations>"

    @property
    def id(self) -> str:
        """The id by which `contexts.get` finds it."""
        return self.record.id

    async def observe(
        self,
        x: object,
        y: object,
        *,
        weight: object = None,
        if_version: int | None = None,
        allow_precision_loss: bool = False,
    ) -> ContextView:
        """Learn further observations; a retried request counts once.

        Args:
            x: N rows of D inputs: lists, an array or a frame; None, NaN or null where a cell is missing. The columns of
                a frame are matched by name; the context keeps the names of the first frame.
            y: N outputs, or N rows of K.
            weight: N numbers; 1 if left out, −w removes an observation again.
            if_version: Learn only if the context still has this version; `Conflict` otherwise.
            allow_precision_loss: Learn even if earlier observations lose their significant digits by it;
                `InvalidInput` otherwise.
        """
        inputs, outputs = frames.read(x, "x", missing=True), frames.read(y, "y")
        weights = None if weight is None else frames.read(weight, "weight").numbers
        body = array_body.write(
            {"x": inputs.numbers, "y": outputs.numbers, "weight": weights},
            columns=array_body.column_names(inputs.names, outputs.names),
            allow_precision_loss="true" if allow_precision_loss else None,
        )
        headers = {**array_body.SEND, **new_idempotency_key(), **if_match(if_version)}
        call = Call("POST", f"{self._path}/observations", read_context, body, headers, label="Observing")
        self.record = await self._session.send(call)
        return self.record

    async def predict(
        self,
        query: object,
        *,
        parameters: Mapping[str, float] | None = None,
        explain: array_body.Explain = False,
        interval: float | None = None,
        quantiles: Sequence[float] | None = None,
        max_age: int | None = None,
    ) -> PredictionResult:
        """Answer queries from the observations so far; the context does not change.

        Args:
            query: M rows of D inputs; the columns of a frame are matched by the names of the context's columns.
            parameters: Numbers by name, for models that have parameters.
            explain: What to explain: names of `implicit_weights`, `effects`, `pairs` and `blocks`, or True for all of
                these that the model has.
            interval: A probability, such as 0.9: also return the bounds between which y lies with it.
            quantiles: Probabilities: also return the values below which y lies with each.
            max_age: Seconds by which the context may have changed since the state that answers: with PostgreSQL, such a
                prediction mostly needs no round trip to the database.
        """
        rows, columns = frames.read(query, "query", missing=True), self.record.columns
        metadata = array_body.options(parameters, explain, interval, quantiles)
        call = Call(
            "POST",
            f"{self._path}/predictions",
            array_body.prediction_reader(frames.writer(query, None if columns is None else columns.y)),
            array_body.write({"query": rows.numbers}, columns=array_body.column_names(rows.names), **metadata),
            {**array_body.SEND_AND_ACCEPT, **max_age_header(max_age)},
        )
        return await self._session.send(call)

    def stream(self) -> "AsyncStream":
        """Open a live stream, `async with context.stream() as stream: answer = await stream.send({…})`.

        Each message is predicted, then learnt. A message whose connection breaks is sent again over another one, and
        counts once, also if another replica answers. Under asyncio, and with a URL only. Needs websockets.
        """
        streams = extras.load("gdssm_client.async_streams", "stream")
        stream: AsyncStream = streams.AsyncStream(self._session.connection, f"{self._path}/stream")
        return stream

    async def merge(
        self, other: str, *, if_version: int | None = None, allow_precision_loss: bool = False
    ) -> ContextView:
        """Add the observations of another context of the same model, which does not change.

        Args:
            other: The id of the other context.
            if_version: As for `observe`.
            allow_precision_loss: As for `observe`.
        """
        body = json_body(context=other, allow_precision_loss=allow_precision_loss or None)
        headers = {**JSON_TYPE, **new_idempotency_key(), **if_match(if_version)}
        self.record = await self._session.send(Call("POST", f"{self._path}/merge", read_context, body, headers))
        return self.record

    async def amend(
        self,
        *,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        ttl: int | None = None,
        if_version: int | None = None,
    ) -> ContextView:
        """Change the name, the labels or the ttl of the context.

        Args:
            name: Its new name.
            labels: Its new labels, which replace the earlier ones.
            ttl: Its new ttl, in seconds.
            if_version: As for `observe`.
        """
        body = json_body(name=name, labels=None if labels is None else dict(labels), ttl=ttl)
        headers = {**JSON_TYPE, **new_idempotency_key(), **if_match(if_version)}
        self.record = await self._session.send(Call("PATCH", self._path, read_context, body, headers))
        return self.record

    async def refresh(self) -> ContextView:
        """Get the current record, with the implicit weights of the context."""
        self.record = await self._session.send(Call("GET", self._path, read_context))
        return self.record

    async def export(self) -> bytes:
        """Export the context as bytes that `contexts.load` reads."""
        return await self._session.send(Call("GET", f"{self._path}/state", lambda response: response.content))

    async def delete(self, *, if_version: int | None = None) -> None:
        """Delete the context; only in a version, if one is given."""
        headers = {**new_idempotency_key(), **if_match(if_version)}
        await self._session.send(Call("DELETE", self._path, lambda _: None, headers=headers))


class AsyncContexts:
    """The contexts of one API key."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def create(
        self,
        model: str | None = None,
        *,
        version: str | None = None,
        decay: float | Literal["auto"] | None = None,
        ttl: int | None = None,
        scale: tuple[ArrayLike, ArrayLike] | None = None,
        like: str | None = None,
        columns: Mapping[Literal["x", "y"], Sequence[str]] | None = None,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        observations: tuple[object, object] | None = None,
        shards: int | None = None,
    ) -> AsyncContext:
        """Create a context, empty or with its first observations.

        Args:
            model: Name of a model that streams; the service's default if left out.
            version: Version of the model; the highest if left out.
            decay: The factor on the weight of every observation after one more, such as 0.99; "auto" chooses it by the
                observations; None forgets nothing.
            ttl: Seconds until the context expires after its last use.
            scale: Center and spread of each column of x, for models that make features of them: contexts of one scale
                merge exactly. By the first 33 observations if left out.
            like: The id of a context whose scale to use.
            columns: Names of the columns, `{"x": […], "y": […]}` or one of the two; those of the first observed frame
                if left out.
            name: Your name for it, unique among your contexts; see `by_name`.
            labels: At most 16 texts by their keys, by which `list` finds it.
            observations: x and y of the first observations, as for `observe`.
            shards: Rows of the database that transactions change at the same time; needs first observations.
        """
        body = _body(
            model=model,
            version=version,
            decay=decay,
            ttl=ttl,
            scale=scale,
            like=like,
            columns=columns,
            labels=labels,
            name=name,
            observations=None if observations is None else _observations(*observations),
            shards=shards,
        )
        headers = {**JSON_TYPE, **new_idempotency_key()}
        record = await self._session.send(Call("POST", CONTEXTS, read_context, body, headers))
        return AsyncContext(self._session, record)

    async def by_name(
        self,
        name: str,
        model: str | None = None,
        *,
        version: str | None = None,
        decay: float | Literal["auto"] | None = None,
        ttl: int | None = None,
        scale: tuple[ArrayLike, ArrayLike] | None = None,
        like: str | None = None,
        columns: Mapping[Literal["x", "y"], Sequence[str]] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> AsyncContext:
        """Return the context of a name, or create it; any number of callers may do so at once.

        An existing context takes `ttl` and `labels`; `Conflict` if its model, version, decay or names of columns are
        not those given here. `scale` and `like` are used only when it is created.

        Args:
            name: Your name for it: 1 to 200 characters without control characters.
            model: As for `create`, as the other arguments.
            version: Of the model.
            decay: Of the weights.
            ttl: In seconds.
            scale: Of the features.
            like: The id of a context.
            columns: Names of the columns.
            labels: Replace those that it has.
        """
        body = _body(
            model=model,
            version=version,
            decay=decay,
            ttl=ttl,
            scale=scale,
            like=like,
            columns=columns,
            labels=labels,
        )
        call = Call("PUT", path("v1", "contexts", "by-name", name), read_context, body, JSON_TYPE)
        return AsyncContext(self._session, await self._session.send(call))

    async def get(self, context_id: str) -> AsyncContext:
        """Get a context by its id."""
        record = await self._session.send(Call("GET", path("v1", "contexts", context_id), read_context))
        return AsyncContext(self._session, record)

    async def find(self, name: str) -> AsyncContext:
        """Get a context by its name; `NotFound` if there is none, see `by_name`."""
        record = await self._session.send(Call("GET", path("v1", "contexts", "by-name", name), read_context))
        return AsyncContext(self._session, record)

    async def list(
        self, *, limit: int | None = None, after: str | None = None, labels: Mapping[str, str] | None = None
    ) -> Page[AsyncContext]:
        """List contexts, oldest first.

        Args:
            limit: The size of the page.
            after: The `after` of the previous page.
            labels: Only contexts that have all of these.
        """
        label = [f"{key}:{value}" for key, value in (labels or {}).items()]
        params = drop_none(limit=limit, after=after, label=label or None)
        page = await self._session.send(Call("GET", CONTEXTS, reading(ContextPage), params=params))
        records = (ContextView(**vars(record)) for record in page.contexts)
        return Page(tuple(AsyncContext(self._session, record) for record in records), page.after)

    async def load(self, content: bytes, *, ttl: int | None = None) -> AsyncContext:
        """Create a context from the bytes of `export`, of this service or another one."""
        headers = {"Content-Type": "application/octet-stream", **new_idempotency_key()}
        call = Call("POST", f"{CONTEXTS}/import", read_context, content, headers, drop_none(ttl=ttl))
        return AsyncContext(self._session, await self._session.send(call))


def _body(
    *,
    scale: tuple[ArrayLike, ArrayLike] | None,
    columns: Mapping[Literal["x", "y"], Sequence[str]] | None,
    labels: Mapping[str, str] | None,
    **others: object,
) -> bytes:
    return json_body(
        scale=None if scale is None else _scale(*scale),
        columns=None if columns is None else {axis: [*names] for axis, names in columns.items()},
        labels=None if labels is None else dict(labels),
        **others,
    )


def _observations(x: object, y: object) -> dict[str, object]:
    cells = frames.read(x, "observations.x", missing=True).numbers
    rows = cells.astype(object)
    rows[np.isnan(cells)] = None  # null in JSON
    return {"x": rows.tolist(), "y": frames.read(y, "observations.y").numbers.tolist()}


def _scale(center: ArrayLike, spread: ArrayLike) -> dict[str, object]:
    named = {"center": center, "spread": spread}
    return {name: frames.read(values, f"scale.{name}").numbers.tolist() for name, values in named.items()}
