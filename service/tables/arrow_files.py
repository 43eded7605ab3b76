"""Parquet and Arrow files, in which columns have types."""

from collections.abc import Collection, Iterator, Sequence, Set
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from pyarrow import ipc, parquet

from service.pandas_index import index_columns
from service.tables.arrow_cells import cells_of_column, is_text, text_bytes
from service.tables.cells import Chunk
from service.tables.parquet_statistics import summaries_by_statistics
from service.tables.sources import Content, refuse
from service.tables.summary import ColumnSummary

BUFFER_SIZE = 2**16
"""Bytes of each column; without it whole columns of a row group are read, and a file may be one row group."""
REMOTE_BUFFER_SIZE = 2**22
"""The same where each reading is a request over a network."""
ROWS = 2**14
"""Rows of a chunk, at most."""
TEXT_BYTES = 2**26
"""Bytes of text of a chunk with all columns, at most."""


class ArrowTable:
    """A Parquet file, or an Arrow (Feather) file or stream, without the index of a pandas frame.

    Args:
        content: Its bytes, without compression around them.
        form: `parquet` or `arrow`.
        missing: Texts that mean that a cell is missing.
        row_groups: The part of a Parquet file that is read; all if left out. Its rows are numbered from 0.

    Raises:
        InvalidInput: It cannot be read.
    """

    def __init__(self, content: Content, form: str, missing: Set[str], row_groups: Sequence[int] | None = None) -> None:
        self.name = content.name
        self._content, self._form, self._missing = content, form, missing
        self._row_groups = row_groups
        self._progress = 0.0
        self._texts: list[str] = []
        """Columns that are read as dictionaries: a small file may have a long text in each of many rows."""
        with self._open() as file:
            schema = file.schema_arrow if form == "parquet" else file.schema
        index = index_columns(schema.names, schema.metadata)
        nested = [field.name for field in schema if field.name not in index and pa.types.is_nested(field.type)]
        self.notes = tuple(f"column {name!r} holds lists or objects, so it is left out" for name in nested)
        self.columns = tuple(name for name in schema.names if name not in {*index, *nested})
        self._types = {name: schema.field(name).type for name in set(self.columns) if schema.names.count(name) == 1}
        again = sorted(set(self.columns) - set(self._types))
        if again:
            raise refuse(self.name, f"has more than one column {again[0]!r}. Give each column a separate name.")
        self._texts = [name for name, kind in self._types.items() if is_text(kind)]

    @property
    def progress(self) -> float:
        """The part of the rows that the present reading has passed, from 0 to 1."""
        return self._progress

    def chunks(self, columns: Collection[str], *, text: Collection[str] = (), whole: bool = False) -> Iterator[Chunk]:
        """Read rows; see `Table.chunks`.

        Raises:
            InvalidInput: A column holds neither numbers, times nor text.
        """
        start, self._progress = 0, 0.0
        wanted = self.columns if whole else tuple(columns)
        for batch in _at_least_one(self._batches(wanted, whole=whole), self._no_rows(wanted)):
            cells = {}
            for name in columns:
                column = cells_of_column(batch.column(name), self._missing, text=name in text)
                if column is None:
                    kind = self._types[name]
                    raise refuse(
                        self.name, f"is of type {kind}; it must hold numbers, times or text.", f"column {name!r}"
                    )
                cells[name] = column
            yield Chunk(start, batch.num_rows, cells, batch if whole else None)
            start += batch.num_rows
        self._progress = 1.0

    def place(self, row: int) -> str:
        """Say where a row is in the file."""
        return f"row {self._first_row() + row + 1}"

    def summaries(self, columns: Collection[str]) -> dict[str, ColumnSummary]:
        """Summarise columns by the statistics of a Parquet file alone; those are left out that must be read for it.

        They count all rows, and a NaN as a number.
        """
        if self._form != "parquet":
            return {}
        with self._open() as file:
            return summaries_by_statistics(file, self._groups(file), columns)

    def _batches(self, columns: Collection[str], *, whole: bool) -> Iterator[pa.RecordBatch]:
        with self._open() as file:
            if self._form == "parquet":
                groups = self._groups(file)
                total, passed = max(1, sum(file.metadata.row_group(group).num_rows for group in groups)), 0
                for batch in file.iter_batches(ROWS, row_groups=groups, columns=list(columns)):
                    passed += batch.num_rows
                    self._progress = passed / total
                    selected = batch.select(list(columns))
                    yield from self._decoded(selected) if whole else [selected]
                return
            for number, batch in enumerate(self._arrow_batches(file)):
                for start in range(0, batch.num_rows, ROWS):
                    yield batch.select(list(columns)).slice(start, ROWS)
                self._progress = (number + 1) / getattr(file, "num_record_batches", number + 2)

    def _decoded(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Give the columns of `_texts` their types again, in parts of at most `TEXT_BYTES` where a row has fewer."""
        if sum(map(text_bytes, batch.columns)) > TEXT_BYTES and batch.num_rows > 1:
            for start in (0, middle := batch.num_rows // 2):
                yield from self._decoded(batch.slice(start, None if start else middle))
            return
        for name in self._texts:
            place, kind = batch.schema.get_field_index(name), self._types[name]
            decoded = batch.column(place).dictionary_decode().cast(kind)
            batch = batch.set_column(place, batch.schema.field(place).with_type(kind), decoded)
        yield batch

    def _no_rows(self, columns: Collection[str]) -> pa.RecordBatch:
        schema = pa.schema([(name, self._types[name]) for name in columns])
        return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)

    def _groups(self, file: parquet.ParquetFile) -> list[int]:
        return [*range(file.metadata.num_row_groups)] if self._row_groups is None else [*self._row_groups]

    def _first_row(self) -> int:
        if not self._row_groups:
            return 0
        with self._open() as file:
            return sum(file.metadata.row_group(group).num_rows for group in range(self._row_groups[0]))

    def _arrow_batches(self, file: Any) -> Iterator[pa.RecordBatch]:  # noqa: ANN401  (a reader of pyarrow)
        if isinstance(file, ipc.RecordBatchStreamReader):
            yield from file
        else:
            for number in range(file.num_record_batches):
                yield file.get_batch(number)

    @contextmanager
    def _open(self) -> Iterator[Any]:
        """Open the file; its errors become those of the caller."""
        with self._content.open_packed() as packed:
            try:
                if self._form == "parquet":
                    # With pre_buffer the whole file would be in memory in the end.
                    size = REMOTE_BUFFER_SIZE if self._content.remote else BUFFER_SIZE
                    options = {"pre_buffer": False, "buffer_size": size, "read_dictionary": self._texts}
                    with parquet.ParquetFile(packed, **options) as file:
                        yield file
                elif self._content.head.startswith(b"ARROW1"):
                    yield ipc.open_file(packed)
                else:
                    yield ipc.open_stream(packed)
            except pa.ArrowException as error:
                form = "Parquet" if self._form == "parquet" else "Arrow"
                raise refuse(self.name, f"is not {form} ({' '.join(str(error).split())[:200]}).") from error


def _at_least_one(batches: Iterator[pa.RecordBatch], none: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield batches, or one without rows where there are none: it has the columns and their types."""
    first = next(batches, none)
    yield first
    yield from batches
