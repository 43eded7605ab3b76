"""JSON bodies with tables: records and columns are read without an object for each row that stays.

A body is a table if it has the field `target`, and arrays otherwise, as far as the address takes both.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeVar

import simdjson
from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.datastructures import QueryParams

from service.api import json_arrays
from service.api.body import (
    BINARY_SCHEMA,
    BYTE_ORDER_MARK,
    JSON,
    Body,
    Codec,
    media_type,
    parse_strict,
    unreadable,
    validate_arrays,
)
from service.api.object_limits import FIELD_LIMIT, TOKEN_LIMIT, has_too_many_tokens
from service.api.request import header, state_of
from service.api.table_files import (
    COMMAND_LINE,
    FILES,
    TableFile,
    fields_of,
    names_of_parameters,
    parameters_of,
    refuse_parameters,
)
from service.api.validation_problems import problems_in
from service.errors import BodyTooLarge, InvalidInput, MalformedBody, Problem
from service.numbers import describe
from service.schemas.tables import RowsRequest
from service.tables.memory import COLUMNS_LIMIT
from service.tables.reading import Format

Value = TypeVar("Value")
Table = TypeVar("Table", bound=RowsRequest)
Arrays = TypeVar("Arrays", bound=BaseModel)
TARGET = "target"
TABLES = ("rows", "query")
"""Fields that have tables."""
FIELD_BYTES_LIMIT = 2**20
"""Bytes of every other field."""


def has_target(document: Mapping[str, Any]) -> bool:
    """Return whether a JSON object is a table, and not arrays."""
    return TARGET in document


def has_rows(document: Mapping[str, Any]) -> bool:
    """Return whether a JSON object has rows of a table to observe."""
    return "rows" in document


def creates_table(document: Mapping[str, Any]) -> bool:
    """Return whether a JSON object creates a context of rows of tables."""
    return TARGET in document or "rows" in document or "schema" in document


def asks_rows(document: Mapping[str, Any]) -> bool:
    """Return whether the queries of a JSON object are rows of a table."""
    query = document.get("query")
    if isinstance(query, simdjson.Array | list):
        query = query[0] if len(query) else None
    return _is_object(query)


class TableBody(Body[Value]):
    """The body of an endpoint that takes tables.

    Args:
        table: Validates a table in JSON.
        arrays: Validates arrays in JSON, if the endpoint takes them.
        codecs: Readers by content type, for others than JSON.
        examples: Of JSON bodies, by name.
        is_table: Whether JSON is a table and not arrays.
    """

    def __init__(
        self,
        table: type[RowsRequest],
        arrays: type[BaseModel] | None = None,
        codecs: Mapping[str, Callable[[bytes], Value]] = MappingProxyType({}),
        examples: Mapping[str, object] = MappingProxyType({}),
        is_table: Callable[[Mapping[str, Any]], bool] = has_target,
    ) -> None:
        read: Callable[[bytes], Any]
        if arrays is None:
            read = partial(read_table, model=table)
        else:
            read = partial(read_either, table=table, arrays=arrays, is_table=is_table)
        super().__init__(None, {JSON: read, **codecs})  # type: ignore[dict-item]  # Value is what they read
        self._default: Codec[Value] = self._codecs[JSON]
        self.models = (table,) if arrays is None else (arrays, table)
        self._table = table
        self._examples = examples

    async def __call__(self, request: Request) -> Value:
        """Read and validate the body of a request; see `Body`.

        Raises:
            UnsupportedContentType, BodyTooLarge, MalformedBody, InvalidInput: See `Body`.
        """
        try:
            return await super().__call__(request)
        except BodyTooLarge:
            if media_type(header(request.scope, b"content-type")) in FILES:
                raise BodyTooLarge(state_of(request.scope).settings.max_body_bytes, COMMAND_LINE) from None
            raise

    def codec(self, request: Request, sent: str) -> Codec[Value]:
        """Choose the codec for the content type that was sent; that of a file has the query parameters.

        Raises:
            UnsupportedContentType: The endpoint does not accept the content type.
            InvalidInput: Parameters for files come with another body.
        """
        kind = sent if sent in self._codecs else media_type(sent)
        if kind not in FILES:
            if request.scope["query_string"]:
                refuse_parameters(request.query_params, names_of_parameters(self._table))
            return super().codec(request, sent)
        charset = sent.lower().rpartition("charset=")[2].strip(' "') if "charset=" in sent.lower() else ""
        return Codec(kind, partial(self._read_file, query=request.query_params, form=FILES[kind], charset=charset))

    def _read_file(self, content: bytes, query: QueryParams, form: Format | None, charset: str) -> Value:
        fields = fields_of(query, names_of_parameters(self._table), form, charset)
        rows = TableFile(content, fields.pop("options"))
        return validated({**fields, "rows" if "rows" in self._table.model_fields else "query": rows}, self._table)  # type: ignore[return-value]  # Value is what they read

    @property
    def operation(self) -> dict[str, Any]:
        """The part of the OpenAPI operation that concerns the body, and the query parameters of a file."""
        return {**super().operation, "parameters": parameters_of(self._table)}

    @property
    def documentation(self) -> dict[str, Any]:
        """The OpenAPI object `requestBody`, with files and examples."""
        found = super().documentation
        found["content"] |= {kind: {"schema": BINARY_SCHEMA | {"minLength": 1}} for kind in FILES}
        if self._examples:
            examples = {name: {"value": value} for name, value in self._examples.items()}
            found["content"][JSON]["examples"] = examples
        return found


def read_either(
    body: bytes, table: type[Table], arrays: type[Arrays], is_table: Callable[[Mapping[str, Any]], bool] = has_target
) -> Table | Arrays:
    """Read a JSON body with arrays, or with a table.

    Raises:
        MalformedBody: It is not JSON.
        InvalidInput: It is JSON, but not valid.
    """
    found = json_arrays.decode(body)
    if found is not None and not is_table(found):
        return validate_arrays(found, body, arrays)
    try:
        document = _document(body)
    except MalformedBody:  # as the body of arrays reports it
        document = None
    if _is_object(document) and is_table(document):
        return _table(document, table)
    return parse_strict(body, arrays)


def read_table(body: bytes, model: type[Table]) -> Table:
    """Read a JSON body with a table.

    Raises:
        MalformedBody: It is not JSON.
        InvalidInput: It is JSON, but not valid.
    """
    document = _document(body)
    if not _is_object(document):
        what = describe([] if isinstance(document, simdjson.Array) else document)
        raise InvalidInput(Problem("", f"The body must be a JSON object; this is {what}."))
    return _table(document, model)


def _document(body: bytes) -> Any:  # noqa: ANN401  (any JSON value)
    """Parse JSON lazily; a document that simdjson does not parse is read as a whole if it is small."""
    text = body.removeprefix(BYTE_ORDER_MARK)
    try:
        return simdjson.Parser().parse(text)
    except (ValueError, RuntimeError) as error:
        try:  # it may have an integer beyond 64 bits, or NaN, whose place is then found
            if not has_too_many_tokens(text):
                return from_json(text)
        except ValueError as reason:
            raise unreadable(text, str(reason)) from None
        raise MalformedBody(f"The body is not valid JSON: {str(error)[:200]}.") from None


def _is_object(found: object) -> bool:
    return isinstance(found, simdjson.Object | dict)


def _table(document: Any, model: type[Table]) -> Table:  # noqa: ANN401  (an object of either parser)
    """Validate a table; its rows are read later, in one pass."""
    names = list(islice(document, FIELD_LIMIT + 1))
    if len(names) > FIELD_LIMIT:
        raise InvalidInput(Problem("", f"has more than {FIELD_LIMIT} fields. Send those that are needed."))
    fields, problems = dict[str, object](), list[Problem]()
    for name in names:
        value = document[name]
        if name in TABLES:
            fields[name] = _rows(value)
            if fields[name] is None and (value is not None or _is_required(model, name)):
                problems.append(Problem(name, f"must be a list of records or an object of columns; {_is(value)}."))
        elif _is_too_large(value):
            text = f"has more than {TOKEN_LIMIT} names or objects, or than {FIELD_BYTES_LIMIT} bytes."
            problems.append(Problem(name[:60], f"{text} Send those that are needed."))
        else:
            fields[name] = _plain(value)
    return validated(fields, model, problems)


def _is_required(model: type[RowsRequest], name: str) -> bool:
    return name in model.model_fields and model.model_fields[name].is_required()


def validated(fields: dict[str, object], model: type[Table], problems: Sequence[Problem] = ()) -> Table:
    """Validate the fields of a request.

    Args:
        fields: By name.
        model: Validates them.
        problems: That were found before.

    Raises:
        InvalidInput: They are not valid, or there are problems.
    """
    try:
        found = model.model_validate(fields)
    except ValidationError as error:
        raise InvalidInput(*problems, *problems_in(error.errors(include_url=False), model)) from None
    if problems:
        raise InvalidInput(*problems)
    return found


def _is_too_large(value: Any) -> bool:  # noqa: ANN401  (any JSON value)
    if isinstance(value, simdjson.Object | simdjson.Array):
        text: bytes = value.mini  # type: ignore[assignment]  # the types of pysimdjson say str
        return len(text) > FIELD_BYTES_LIMIT or has_too_many_tokens(text)
    return isinstance(value, str) and len(value) > FIELD_BYTES_LIMIT


def _plain(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, simdjson.Object):
        return value.as_dict()
    return value.as_list() if isinstance(value, simdjson.Array) else value


def _rows(value: Any) -> object:  # noqa: ANN401  (any JSON value)
    """Prepare records or columns; None for anything else."""
    if isinstance(value, simdjson.Array | list):
        return Records(value)
    if not _is_object(value):
        return None
    columns = islice(value.items(), COLUMNS_LIMIT + 1)  # one too many is refused
    return {name: _plain(column) for name, column in columns}


class Records(Iterable[object]):
    """The entries of a list, each a dict if it is an object; nothing of them is kept."""

    def __init__(self, found: Iterable[object]) -> None:
        self._found = found

    def __iter__(self) -> Iterator[object]:
        return map(_plain, self._found)


def _is(value: object) -> str:
    return f"this is {describe(value)}"
