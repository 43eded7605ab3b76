"""Items of batches: arrays, or rows of a table for a context of such rows."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from service.api.table_bodies import asks_rows, has_rows, read_either
from service.api.table_files import digest_of
from service.contexts.tables import TableRows
from service.schemas.batches import ObservationItem, QueryItem, TableObservationItem, TableQueryItem

TableT = TypeVar("TableT", TableObservationItem, TableQueryItem)


@dataclass(frozen=True)
class TableItem(Generic[TableT]):
    """An item with rows of a table."""

    fields: TableT
    rows: TableRows
    count: int
    """Of the rows."""


SentObservations = ObservationItem | TableItem[TableObservationItem]
SentQueries = QueryItem | TableItem[TableQueryItem]


def read_observations_item(body: bytes) -> SentObservations:
    """Read the JSON of an item with observations; the rows are checked as cells, and not against the context's schema.

    Raises:
        MalformedBody: It is not JSON.
        InvalidInput: It is JSON, but not valid.
    """
    found = read_either(body, TableObservationItem, ObservationItem, has_rows)
    if isinstance(found, ObservationItem):
        return found
    table = found.table_of(found.rows, "rows")
    return TableItem(found, TableRows(table, digest_of(found.rows, table), found.weight), table.rows)


def read_query_item(body: bytes) -> SentQueries:
    """Read the JSON of an item with queries, as `read_observations_item`.

    Raises:
        MalformedBody: It is not JSON.
        InvalidInput: It is JSON, but not valid.
    """
    found = read_either(body, TableQueryItem, QueryItem, asks_rows)
    if isinstance(found, QueryItem):
        return found
    table = found.table_of(found.query, "query")
    return TableItem(found, TableRows(table, digest=""), table.rows)
