"""Bodies of batches as requests to the core: one for each item, or for each context of columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.api.batch_answers import Answer
from service.api.batch_bodies import Batch, ColumnBatch, ItemBatch
from service.api.batch_items import SentObservations, SentQueries, TableItem
from service.column_names import ColumnNames
from service.contexts.batches import QueryRequest, parts_by_context
from service.contexts.records import UNCONDITIONAL, Change
from service.contexts.requests import ObserveRequest
from service.contexts.tables import TableRows
from service.errors import CallerError, ServiceError
from service.inference.distribution import NOTHING, Wanted
from service.inference.predictor import Observations
from service.inference.sizes import Array
from service.schemas.batches import Item, ObservationColumns, ObservationItem, QueryColumns, TableObservationItem
from service.schemas.contexts import NewContext, names_of


class Target(NamedTuple):
    """The context of an item, by its id or by its name, and the item's rows of columns."""

    context: str | None
    name: str | None
    rows: list[int] | None = None


@dataclass(frozen=True)
class ObservationPart:
    """Observations of an item."""

    target: Target
    new: Observations | TableRows
    count: int
    """Of the observations."""
    change: Change = UNCONDITIONAL
    allow_precision_loss: bool = False

    def request(self, owner: str, context_id: str) -> ObserveRequest:
        """Make the request to the core."""
        return ObserveRequest(owner, context_id, self.new, self.change, self.allow_precision_loss)


@dataclass(frozen=True)
class QueryPart:
    """Queries of an item."""

    target: Target
    query: Array | TableRows
    count: int
    """Of the queries."""
    parameters: dict[str, float] = field(default_factory=dict)
    wanted: Wanted = NOTHING
    columns: ColumnNames | None = None
    keys: tuple[str, ...] = ()

    def request(self, context_id: str) -> QueryRequest:
        """Make the request to the core."""
        return QueryRequest(context_id, self.query, self.parameters, self.wanted, self.columns, self.keys)


def observations_in(batch: Batch[SentObservations, ObservationColumns]) -> Sequence[ObservationPart | CallerError]:
    """Return the observations of each item."""
    if isinstance(batch, ItemBatch):
        return [item if isinstance(item, CallerError) else _observations(item) for item in batch.items]
    columns, allow = batch.columns, batch.columns.allow_precision_loss
    names, weight = names_of(columns.columns), columns.weight
    return [
        ObservationPart(
            target,
            Observations(columns.x[at], columns.y[at], None if weight is None else weight[at], columns=names),
            len(target.rows or ()),
            allow_precision_loss=allow,
        )
        for target, at in _groups(batch)
    ]


def queries_in(batch: Batch[SentQueries, QueryColumns]) -> Sequence[QueryPart | CallerError]:
    """Return the queries of each item."""
    if isinstance(batch, ItemBatch):
        return [item if isinstance(item, CallerError) else _queries(item) for item in batch.items]
    columns, wanted = batch.columns, batch.columns.wanted()
    names = names_of(columns.columns)
    return [
        QueryPart(target, columns.query[at], len(target.rows or ()), wanted=wanted, columns=names)
        for target, at in _groups(batch)
    ]


def _observations(item: SentObservations) -> ObservationPart:
    if isinstance(item, TableItem):
        return _part(item.fields, item.rows, item.count)
    return _part(item, Observations(item.x, item.y, item.weight, columns=names_of(item.columns)), len(item.x))


def _part(fields: ObservationItem | TableObservationItem, new: Observations | TableRows, count: int) -> ObservationPart:
    change = Change(fields.idempotency_key, fields.if_version)
    return ObservationPart(_target(fields), new, count, change, fields.allow_precision_loss)


def _queries(item: SentQueries) -> QueryPart:
    if isinstance(item, TableItem):
        fields, keys = item.fields, tuple(item.fields.keys)
        return QueryPart(_target(fields), item.rows, item.count, fields.parameters or {}, fields.wanted(), keys=keys)
    columns = names_of(item.columns)
    return QueryPart(_target(item), item.query, len(item.query), item.parameters or {}, item.wanted(), columns)


def _target(item: Item) -> Target:
    return Target(item.context, item.name)


def _groups(
    batch: ColumnBatch[ObservationColumns] | ColumnBatch[QueryColumns],
) -> Iterator[tuple[Target, slice | list[int]]]:
    """Return each context with where its rows are: a slice, which copies nothing, if they follow each other."""
    by_name = batch.columns.contexts is None
    for text, rows in batch.rows.items():
        first, last = rows[0], rows[-1]
        at = slice(first, last + 1) if last - first == len(rows) - 1 else rows
        yield Target(None, text, rows) if by_name else Target(text, None, rows), at


def rows_in(observations: Sequence[ObservationPart | CallerError]) -> int:
    """Count the observations of all items."""
    return sum(item.count for item in observations if isinstance(item, ObservationPart))


def queries_count(queries: Sequence[QueryPart | CallerError]) -> int:
    """Count the queries of all items."""
    return sum(item.count for item in queries if isinstance(item, QueryPart))


def names_in(items: Sequence[ObservationPart | QueryPart | CallerError]) -> set[str]:
    """Return the names by which items name contexts."""
    targets = (item.target.name for item in items if not isinstance(item, ServiceError))
    return {name for name in targets if name is not None}


def create_in(batch: Batch[SentObservations, ObservationColumns]) -> NewContext | None:
    """Return what contexts of unknown names are created with."""
    return batch.create if isinstance(batch, ItemBatch) else batch.columns.create


def parts_of(items: Sequence[ObservationPart | CallerError]) -> list[list[int]]:
    """Divide the valid items into transactions: their places. The same body is always divided in the same way."""
    valid = [(place, item.target[:2]) for place, item in enumerate(items) if isinstance(item, ObservationPart)]
    places = [place for place, _ in valid]
    return [[places[number] for number in part] for part in parts_by_context([target for _, target in valid])]


def request_of(
    item: ObservationPart | CallerError, owner: str, ids: Mapping[str, str | ServiceError]
) -> ObserveRequest | ServiceError:
    """Make the request of an item to the core, or return its error."""
    if isinstance(item, CallerError):
        return item
    found = _id_of(item.target, ids)
    return found if isinstance(found, ServiceError) else item.request(owner, found)


def query_of(item: QueryPart | CallerError, ids: Mapping[str, str | ServiceError]) -> QueryRequest | ServiceError:
    """Make the request of an item to the core, or return its error."""
    if isinstance(item, CallerError):
        return item
    found = _id_of(item.target, ids)
    return found if isinstance(found, ServiceError) else item.request(found)


def with_rows(items: Sequence[ObservationPart | QueryPart | CallerError], results: Sequence[Answer]) -> list[Answer]:
    """Add the numbers of the rows of columns to the results."""
    return [
        result if isinstance(item, CallerError) or item.target.rows is None else {**result, "rows": item.target.rows}
        for item, result in zip(items, results, strict=True)
    ]


def _id_of(target: Target, ids: Mapping[str, str | ServiceError]) -> str | ServiceError:
    return target.context if target.name is None else ids[target.name]  # type: ignore[return-value]  # it has one
