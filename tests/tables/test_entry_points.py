"""The same rows have one meaning, wherever they come from."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import ipc

from gdssm_client import frame_tables
from gdssm_client.frames import Frame
from gdssm_client.sklearn.encoded_frames import table_of
from service.tables.cells import Cells, Table
from service.tables.encoding import Findings, observations
from service.tables.memory import MemoryTable, table_of_columns, table_of_records
from service.tables.predicting import infer_schema
from service.tables.reading import open_table
from service.tables.requested import Requested
from service.tables.schema import TableSchema
from tests.tables.test_reading import in_parquet
from tests.tables.workbooks import xlsx

ROWS = 60
START = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
Columns = dict[str, list[Any]]


def every(*values: object) -> list[Any]:
    return [values[row % len(values)] for row in range(ROWS)]


NUMBERS = [row * 7 % 13 + 0.5 for row in range(ROWS)]
TABLES: dict[str, Columns] = {
    "numbers with gaps": {"a": every(1.5, None, -3.25, 1e10), "b": NUMBERS},
    "integers": {"a": every(1, 2, 3, None), "b": [row * 17 % 59 for row in range(ROWS)]},
    "categories with gaps": {"a": every("Bern", "Basel", None, "bern"), "b": NUMBERS},
    "codes": {"a": every("01067", "80331", "10115"), "b": every("1E10", "2E11")},
    "numbers as text": {"a": every("1.234,50 €", "3,50 €", "0,75- €"), "b": every("12,5 %", "9 %")},
    "missing as text": {"a": every("1.5", "NA", "?", "2"), "b": every("x", "n/a", "z")},
    "yes and no": {"a": every("yes", "no", None), "b": NUMBERS},
    "dates as text": {"a": every("31.12.2019", "01.02.2020"), "b": every("2020-01", "2021-07")},
    "free text and identifiers": {
        "a": [f"a long remark on house {row}" for row in range(ROWS)],
        "id": list(range(ROWS)),
        "b": NUMBERS,
    },
    "constant and empty": {"a": every(3.0), "e": every(None), "b": NUMBERS},
    "many levels": {"a": [f"level {row % 45}" for row in range(ROWS)], "b": NUMBERS},
    "booleans": {"a": every(True, False, None), "b": NUMBERS},
    "times": {"a": [START + timedelta(days=13 * row, hours=row) for row in range(ROWS)], "b": NUMBERS},
    "classes": {"a": NUMBERS, "y": every("red", "green", None, "blue")},
}


def with_target(columns: Columns) -> Columns:
    return columns if "y" in columns else columns | {"y": [row * 5 % 17 + 0.25 for row in range(ROWS)]}


def written(value: object) -> object:
    """Write a value as CSV and JSON have it."""
    return value.isoformat() if isinstance(value, datetime) else value


def in_csv(columns: Columns) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    text = {True: "true", False: "false", None: ""}
    writer.writerows(
        [text[value] if isinstance(value, bool | None) else written(value) for value in row]
        for row in zip(*columns.values(), strict=True)
    )
    return out.getvalue().encode()


def records_of(columns: Columns) -> list[dict[str, object]]:
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, map(written, row), strict=True)) for row in rows]


def in_arrow(columns: Columns) -> bytes:
    table = pa.table(columns)
    sink = io.BytesIO()
    with ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def in_xlsx(columns: Columns) -> bytes:
    def naive(value: Any) -> Any:  # noqa: ANN401
        return value.replace(tzinfo=None) if isinstance(value, datetime) else value

    rows = [[naive(value) for value in row] for row in zip(*columns.values(), strict=True)]
    return xlsx({"A": [list(columns), *rows]})


def dictionaries(columns: Columns) -> bytes:
    table = pa.table(columns)
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(place, field.name, table.column(place).dictionary_encode())
    return in_parquet(table)


FILES: dict[str, Callable[[Columns], bytes]] = {
    "csv": in_csv,
    "parquet": lambda columns: in_parquet(pa.table(columns)),
    "parquet with dictionaries": dictionaries,
    "arrow": in_arrow,
    "xlsx": in_xlsx,
    "json lines": lambda columns: "\n".join(map(json.dumps, records_of(columns))).encode(),
    "json list": lambda columns: json.dumps(records_of(columns), indent=1).encode(),
}


def of_client(frame: Frame) -> MemoryTable:
    """Make the service's table of the cells that the client reads."""
    return MemoryTable("X", {name: Cells(*cells) for name, cells in table_of(frame).cells.items()})


MEMORY: dict[str, Callable[[Columns], Table]] = {
    "records": lambda columns: table_of_records(records_of(columns), "rows"),
    "columns": lambda columns: table_of_columns({k: [*map(written, v)] for k, v in columns.items()}, "rows"),
    "pandas": lambda columns: of_client(wrapped(pd.DataFrame(columns))),
    "polars": lambda columns: of_client(wrapped(pl.DataFrame(columns))),
}


def wrapped(frame: object) -> Frame:
    found = frame_tables.frame_of(frame, "X")
    assert found is not None
    return found


@contextmanager
def opened(form: str, columns: Columns) -> Iterator[Table]:
    if form in MEMORY:
        yield MEMORY[form](columns)
    else:
        with open_table(FILES[form](columns), "t") as table:
            yield table


def meaning(form: str, columns: Columns) -> tuple[TableSchema, list[np.ndarray]]:
    """Return the schema, without formats of dates, and x, y and the rows."""
    with opened(form, columns) as table:
        schema = infer_schema(table, Requested("y"))
        parts = [
            observations(schema, chunk, Findings()) for chunk in table.chunks(table.columns, text=schema.text_columns)
        ]
    bare = replace(schema, columns=tuple(replace(column, date_format="") for column in schema.columns))
    return bare, [np.concatenate([part[place] for part in parts]) for place in (0, 1, 3)]


@pytest.mark.parametrize("form", [form for form in (*FILES, *MEMORY) if form != "csv"])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_one_meaning_at_every_entry_point(name: str, form: str) -> None:
    columns = with_target(TABLES[name])
    expected, numbers = meaning("csv", columns)
    found, same = meaning(form, columns)
    assert found == expected
    for one, other in zip(numbers, same, strict=True):
        np.testing.assert_array_equal(one, other)
