"""Predictions of tables as files: CSV, Parquet or Arrow, if the header Accept names one."""

import csv
import io
from collections.abc import Mapping, Sequence
from math import isnan

from starlette.requests import HTTPConnection

from service.api.media_types import accepted_type
from service.api.request import header
from service.api.table_representations import values_of, whole_prediction
from service.tables.extra import needed
from service.tables.predicting import PredictedRows, classes_of
from service.tables.schema import TableSchema

CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
ARROW_FILE = "application/vnd.apache.arrow.file"
ARROW_STREAM = "application/vnd.apache.arrow.stream"
KINDS = (CSV, PARQUET, ARROW_FILE, ARROW_STREAM)


def accepted_file(request: HTTPConnection) -> str | None:
    """Return the content type that the header Accept prefers to JSON; None for JSON."""
    accepted = header(request.scope, b"accept")
    return accepted_type(accepted, KINDS) if accepted and accepted != "*/*" else None


def file_of_rows(
    schema: TableSchema, keys: Sequence[str], rows: Sequence[PredictedRows], kind: str, quantiles: Sequence[float]
) -> bytes:
    """Write predictions as a file: the keys, or the numbers of the rows, and the target as a column.

    Bounds are the columns `price_lower` and `price_upper`, quantiles `price_q0.1`; each class has the column
    `species=setosa` of its probability.

    Args:
        schema: Of the table.
        keys: Columns that name the rows.
        rows: With their predictions.
        kind: Content type.
        quantiles: The requested probabilities.

    Raises:
        InvalidInput: It needs an extra of the install.
    """
    columns = _columns(schema, keys, rows, quantiles)
    if kind == CSV:
        return _csv(columns)
    arrow = needed("pyarrow", f"Writing {kind}")
    table, sink = arrow.table({name: list(values) for name, values in columns.items()}), io.BytesIO()
    if kind == PARQUET:
        needed("pyarrow.parquet", f"Writing {kind}").write_table(table, sink)
    else:
        ipc = needed("pyarrow.ipc", f"Writing {kind}")
        with (ipc.new_file if kind == ARROW_FILE else ipc.new_stream)(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


def _columns(
    schema: TableSchema, keys: Sequence[str], rows: Sequence[PredictedRows], quantiles: Sequence[float]
) -> dict[str, Sequence[object]]:
    whole, target, columns = whole_prediction(rows), schema.target.name, dict[str, Sequence[object]]()
    if keys:
        columns |= {name: values_of(part.chunk.cells[name] for part in rows) for name in keys}
    else:
        columns["row"] = [number for part in rows for number in part.chunk.numbers().tolist()]
    if schema.classes:
        columns[target] = classes_of(schema, whole.prediction)
        shares = zip(schema.classes, whole.prediction.T, strict=True)
        return columns | {f"{target}={name}": share.tolist() for name, share in shares}
    columns[target] = whole.prediction.tolist()
    if whole.lower is not None and whole.upper is not None:
        columns |= {f"{target}_lower": whole.lower.tolist(), f"{target}_upper": whole.upper.tolist()}
    if whole.quantiles is not None:
        named = zip(quantiles, whole.quantiles, strict=True)
        columns |= {f"{target}_q{probability:g}": values.tolist() for probability, values in named}
    return columns


def _csv(columns: Mapping[str, Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([*map(_written, row)] for row in zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _written(cell: object) -> object:
    return "" if isinstance(cell, float) and isnan(cell) else cell
