"""Summaries of columns by the statistics at the end of a Parquet file; needs pyarrow."""

from collections.abc import Collection, Sequence

import pyarrow as pa
from pyarrow import parquet

from service.tables.inferring import EARLIEST, LATEST, may_name_rows
from service.tables.summary import ColumnSummary


def summaries_by_statistics(
    file: parquet.ParquetFile, groups: Sequence[int], columns: Collection[str]
) -> dict[str, ColumnSummary]:
    """Summarise columns of numbers in some row groups, where their statistics decide all that a schema needs.

    They do not where a column may be constant, hold dates such as 20200131, or number the rows.

    Args:
        file: The file.
        groups: Its row groups.
        columns: Their names.
    """
    schema = file.metadata.schema
    places = {schema.column(place).path: place for place in range(len(schema))}
    types = {field.name: field.type for field in file.schema_arrow}
    found = {}
    for name in columns:
        if name in places and _is_number(types[name]) and not may_name_rows(name):
            summary = _summary(file.metadata, groups, places[name], whole=pa.types.is_integer(types[name]))
            if summary is not None:
                found[name] = summary
    return found


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind))


def _summary(metadata: parquet.FileMetaData, groups: Sequence[int], place: int, *, whole: bool) -> ColumnSummary | None:
    """Summarise one column; None if it must be read."""
    summary = ColumnSummary(rises=False, whole=whole)
    for group in groups:
        column = metadata.row_group(group).column(place)
        known = column.statistics if column.is_stats_set else None
        if (
            known is None
            or not known.has_null_count
            or not (known.has_min_max or known.null_count == column.num_values)
        ):
            return None
        summary.rows += metadata.row_group(group).num_rows
        summary.missing += known.null_count
        if known.has_min_max:
            summary.lowest = min(summary.lowest, float(known.min))
            summary.highest = max(summary.highest, float(known.max))
    if not summary.lowest < summary.highest or EARLIEST <= summary.lowest <= summary.highest <= LATEST:
        return None
    summary.kinds.add("number")
    summary.numbers |= {summary.lowest, summary.highest}
    summary.whole = whole or (summary.lowest.is_integer() and summary.highest.is_integer())
    summary.first = summary.last = summary.lowest
    return summary
