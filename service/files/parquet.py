"""One Parquet file, read or written in chunks; needs pyarrow, the extra `gdssm[parquet]`."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from service.errors import InvalidInput, Problem
from service.files.table import MAX_CELLS_REPORTED, REFUSE_EMPTY, EmptyCells, check_has, check_names, refuse
from service.inference.sizes import Array
from service.pandas_index import index_columns
from service.real_numbers import BOOLEAN_REMEDY, DURATION_REMEDY, OTHER_TYPE_REMEDY, TEXT_REMEDY, TIME_REMEDY

BUFFER_SIZE = 2**16
"""Bytes of each column; without it whole columns of a row group are read, and a file may be one row group."""

Item = TypeVar("Item")


def prefetch(items: Iterable[Item]) -> Iterator[Item]:
    """Make the next item in a thread while the present one is used; at most one item waits.

    An exception is raised in the place of its item. Leaving early waits for the item in progress.
    """
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1, "prefetch") as thread:
        pending = thread.submit(next, iterator, end)
        while (item := pending.result()) is not end:
            pending = thread.submit(next, iterator, end)
            yield item  # type: ignore[misc]  # it is not the end


class ParquetTable:
    """A Parquet file, without the index of a pandas frame; has the methods of `CsvTable`.

    Raises:
        InvalidInput: The file cannot be read, or is not Parquet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _in_words(path):
            # With pre_buffer the whole file would be in memory in the end.
            self._file = parquet.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER_SIZE)
        schema = self._file.schema_arrow
        index = index_columns(schema.names, schema.metadata)
        self.columns: list[str] = [name for name in schema.names if name not in index]
        self._rows_read = 0
        check_names(path, self.columns)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def progress(self) -> float:
        """The part of the file that is read, from 0 to 1."""
        return float(self._rows_read / max(1, self._file.metadata.num_rows))

    def chunks(
        self, groups: Sequence[Sequence[str]], rows: int, empty: EmptyCells = REFUSE_EMPTY
    ) -> Iterator[list[Array]]:
        """Read columns as numbers, as `CsvTable.chunks` does; null and NaN are empty cells."""
        columns = list(chain(*groups))
        check_has(self.path, self.columns, columns)
        for name in columns:
            self._check_type(name, may_be_null=name in empty.columns)
        yield from prefetch(self._read(groups, columns, rows, empty))
        if not self._rows_read:
            raise refuse(self.path, "has no rows. It needs at least one.")

    def _read(
        self, groups: Sequence[Sequence[str]], columns: list[str], rows: int, empty: EmptyCells
    ) -> Iterator[list[Array]]:
        with _in_words(self.path):
            for batch in self._file.iter_batches(rows, columns=columns):
                if batch.num_rows:
                    yield [self._numbers(batch.select(list(group)), empty) for group in groups]
                    self._rows_read += batch.num_rows

    def _check_type(self, name: str, *, may_be_null: bool) -> None:
        kind = self._file.schema_arrow.field(name).type
        if may_be_null and pa.types.is_null(kind):
            return
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            raise refuse(self.path, f"must hold numbers; it is of type {kind}. {_remedy(kind)}", f"column {name!r}")

    def _numbers(self, batch: pa.RecordBatch, empty: EmptyCells) -> Array:
        """Convert columns to rows, which pyarrow does faster than numpy."""
        columns = [column if column.type == pa.float64() else column.cast(pa.float64(), safe=False) for column in batch]
        rows = pa.RecordBatch.from_arrays(columns, batch.schema.names).to_tensor(null_to_nan=True)
        numbers: Array = rows.to_numpy()
        if np.isfinite(numbers).all():
            return numbers
        may_be_empty = np.array([name in empty.columns for name in batch.schema.names])
        bad = np.isinf(numbers) | (np.isnan(numbers) & ~may_be_empty)
        if bad.any():
            raise InvalidInput(*self._problems(batch, bad, empty.refusal))
        return numbers

    def _problems(self, batch: pa.RecordBatch, bad: NDArray[np.bool_], message: str) -> Iterator[Problem]:
        """Describe the first bad cells, row by row."""
        for row, place in np.argwhere(bad)[:MAX_CELLS_REPORTED].tolist():
            valid = batch.column(place)[row].is_valid
            where = f"{self.path}, row {self._rows_read + row + 1}, column {batch.schema.names[place]!r}"
            yield Problem(where, "is not a finite number. Fill it in, or leave the row out." if valid else message)


def _remedy(kind: pa.DataType) -> str:
    """Return the remedy for a column of another type."""
    types = pa.types
    if types.is_boolean(kind):
        return BOOLEAN_REMEDY
    if types.is_duration(kind):
        return DURATION_REMEDY
    if types.is_temporal(kind):
        return TIME_REMEDY
    text = (types.is_string, types.is_large_string, types.is_string_view, types.is_dictionary)
    return TEXT_REMEDY if any(is_of(kind) for is_of in text) else OTHER_TYPE_REMEDY


class ParquetWriter:
    """A Parquet file of columns, written in chunks."""

    def __init__(self, path: Path, *names: str) -> None:
        self._schema = pa.schema([(name, pa.float64()) for name in names])
        self._file = parquet.ParquetWriter(path, self._schema)

    def write(self, *numbers: Array) -> None:
        """Write numbers (M,), one array for each column."""
        # Not by pa.array, which imports pandas if it is installed.
        buffers = [pa.py_buffer(np.ascontiguousarray(column, np.float64)) for column in numbers]
        columns = [pa.Array.from_buffers(pa.float64(), len(numbers[0]), [None, buffer]) for buffer in buffers]
        self._file.write_batch(pa.record_batch(columns, self._schema))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Say why a file cannot be read."""
    try:
        yield
    except OSError as error:
        raise refuse(path, f"cannot be read ({error.strerror or error}).") from error
    except pa.ArrowException as error:
        raise refuse(path, f"is not Parquet ({' '.join(str(error).split())[:200]}).") from error
