"""Bodies with parts for many contexts: JSON of items or of columns, lines of JSON, and safetensors.

An invalid item of a valid body is that item's error.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

import simdjson
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from service.api.body import (
    BYTE_ORDER_MARK,
    JSON,
    Body,
    Codec,
    parse,
    unreadable,
    validate,
)
from service.api.object_limits import FIELD_LIMIT
from service.errors import CallerError, InvalidInput, Problem
from service.numbers import describe
from service.schemas.batches import ITEMS_LIMIT, ColumnsOfContexts
from service.schemas.contexts import NewContext

NDJSON = "application/x-ndjson"
LINE = re.compile(rb"\S[^\n]*")
ItemT = TypeVar("ItemT")
ColumnsT = TypeVar("ColumnsT", bound=ColumnsOfContexts)


@dataclass(frozen=True)
class ItemBatch(Generic[ItemT]):
    """The items of a body, or the errors in their place."""

    items: Sequence[ItemT | CallerError]
    digest: str
    """Hash of the body."""
    create: NewContext | None = None


@dataclass(frozen=True)
class ColumnBatch(Generic[ColumnsT]):
    """The columns of a body, and the numbers of the rows of each context."""

    columns: ColumnsT
    digest: str
    """Hash of the body."""
    rows: dict[str, list[int]] = field(default_factory=dict)


Batch = ItemBatch[ItemT] | ColumnBatch[ColumnsT]


class BatchBody(Body[Any]):
    """The body of an endpoint that takes a batch.

    Args:
        item: Reads an item.
        items: Documents a body of items.
        columns: Validates a body of columns.
        options: Validates the fields of a body of items without the items.
        tensors: The content type of safetensors, and the reader of columns in it.
    """

    def __init__(
        self,
        item: Callable[[bytes], ItemT],
        items: type[BaseModel],
        columns: type[ColumnsT],
        options: type[BaseModel],
        tensors: tuple[str, Callable[[bytes], ColumnsT]],
    ) -> None:
        kind, read_tensors = tensors
        readers: dict[str, Callable[[bytes], Any]] = {
            JSON: partial(_read_json, item=item, columns=columns, options=options),
            NDJSON: partial(_read_lines, item=item, options=options),
            kind: lambda body: _of_columns(read_tensors(body), body),
        }
        super().__init__(None, readers)
        self._default: Codec[Any] = self._codecs[JSON]
        self.models = (items, columns)


def _read_json(
    body: bytes, item: Callable[[bytes], ItemT], columns: type[ColumnsT], options: type[BaseModel]
) -> Batch[ItemT, ColumnsT]:
    """Read a JSON body of items or of columns.

    Raises:
        MalformedBody: It is not JSON.
        InvalidInput: It is JSON, but not valid.
    """
    document = _object(body)
    if document is None and b'"items"' in body:
        raise _unreadable(body)
    if document is None or "items" not in document:
        if document is not None and "contexts" not in document and "names" not in document:
            raise InvalidInput(Problem("items", "is missing. Send items, or columns with contexts or names."))
        return _of_columns(parse(body, columns), body)
    found = document["items"]
    if not isinstance(found, simdjson.Array):
        raise InvalidInput(Problem("items", f"must be a list; this is {describe(_plain(found))}."))
    _check_count(len(found))
    names = [str(name) for name in islice(document, FIELD_LIMIT) if name != "items"]
    fields = validate({name: from_json(_raw(document[name])) for name in names}, options)
    return ItemBatch([_item(_raw(value), item) for value in found], _digest(body), getattr(fields, "create", None))


def _unreadable(body: bytes) -> CallerError:
    """Return the error for a body of items that is not JSON, or has numbers that are not finite."""
    try:
        from_json(body.removeprefix(BYTE_ORDER_MARK), allow_inf_nan=False)
    except ValueError as error:
        return unreadable(body, str(error))
    text = "has a number that is NaN or beyond float64, or is nested too deeply. Send finite numbers."
    return InvalidInput(Problem("items", text))


def _object(body: bytes) -> simdjson.Object | None:
    """Parse a JSON object lazily; None if it is none."""
    try:
        document = simdjson.Parser().parse(body.removeprefix(BYTE_ORDER_MARK))
    except (ValueError, RuntimeError):
        return None
    return document if isinstance(document, simdjson.Object) else None


def _read_lines(body: bytes, item: Callable[[bytes], ItemT], options: type[BaseModel]) -> ItemBatch[ItemT]:
    """Read lines of JSON, an item on each; the first may have `create` instead.

    Raises:
        InvalidInput: There are no lines, or too many.
    """
    lines, create = list(_lines(body)), None
    if lines and "create" in options.model_fields and lines[0].lstrip().startswith(b'{"create"'):
        create = getattr(parse(lines.pop(0), options), "create", None)
    _check_count(len(lines), "")
    return ItemBatch([_item(line, item) for line in lines], _digest(body), create)


def _lines(body: bytes) -> Iterator[bytes]:
    """Return the lines that are not empty, up to two more than there may be."""
    found = LINE.finditer(body.removeprefix(BYTE_ORDER_MARK))
    return (line[0] for line in islice(found, ITEMS_LIMIT + 2))


def _check_count(count: int, field: str = "items") -> None:
    if not 1 <= count <= ITEMS_LIMIT:
        raise InvalidInput(Problem(field, f"has {count} items; a request has 1 to {ITEMS_LIMIT}. Send several."))


def _of_columns(columns: ColumnsT, body: bytes) -> ColumnBatch[ColumnsT]:
    """Group the rows by their contexts, in the order of the first row of each."""
    rows: dict[str, list[int]] = {}
    contexts = columns.contexts if columns.contexts is not None else columns.names or []
    for number, context in enumerate(contexts):
        rows.setdefault(context, []).append(number)
    _check_lengths(columns, len(contexts), "contexts" if columns.contexts is not None else "names")
    return ColumnBatch(columns, _digest(body), rows)


def _check_lengths(columns: ColumnsOfContexts, count: int, field: str) -> None:
    arrays = {name: getattr(columns, name, None) for name in ("x", "y", "weight", "query")}
    problems = [
        Problem(name, f"has {len(array)} rows; {field} has {count}. Send one for each.")
        for name, array in arrays.items()
        if array is not None and len(array) != count
    ]
    if problems:
        raise InvalidInput(*problems)


def _item(raw: bytes, read: Callable[[bytes], ItemT]) -> ItemT | CallerError:
    try:
        return read(raw)
    except CallerError as error:
        return error.with_traceback(None)


def _raw(value: object) -> bytes:
    """Write a value of simdjson's as JSON."""
    return bytes(value.mini) if isinstance(value, simdjson.Object | simdjson.Array) else to_json(value)  # type: ignore[arg-type]  # bytes, and not text as the stubs have it


def _plain(value: object) -> object:
    return {} if isinstance(value, simdjson.Object) else value


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
