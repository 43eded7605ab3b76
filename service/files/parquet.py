"""One Parquet file, read or written in chunks; needs pyarrow, the extra `gdssm[parquet]`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from service.errors import InvalidInput, Problem
from service.files.prefetch import prefetch
from service.files.table import NO_GAPS, SHOWN, Gaps, check_has, check_names, refuse
from service.pandas_index import index_columns
from service.real_numbers import BOOLEAN, DURATION, OTHER, TEXT, TIME
from service.shapes import Array

READ_AT_ONCE = 2**16
"""Bytes of each column; without it, whole columns of a row group are read, and a file may be one row group."""


class ParquetTable:
    """A file whose columns are known, without the index of a pandas frame; has what `Table` has.

    Raises:
        InvalidInput: It cannot be read, or is not Parquet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _in_words(path):
            # What pre_buffer holds is kept until the file is closed: in the end, all of it.
            self._file = parquet.ParquetFile(path, pre_buffer=False, buffer_size=READ_AT_ONCE)
        schema = self._file.schema_arrow
        index = index_columns(schema.names, schema.metadata)
        self.columns: list[str] = [name for name in schema.names if name not in index]
        self._seen = 0
        check_names(path, self.columns)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def progress(self) -> float:
        """How much of the file is read, from 0 to 1."""
        return float(self._seen / max(1, self._file.metadata.num_rows))

    def chunks(self, groups: Sequence[Sequence[str]], rows: int, gaps: Gaps = NO_GAPS) -> Iterator[list[Array]]:
        """Read some columns as numbers, as `Table.chunks` does; null and NaN are empty."""
        columns = list(chain(*groups))
        check_has(self.path, self.columns, columns)
        for name in columns:
            self._check_type(name, may_be_null=name in gaps.columns)
        yield from prefetch(self._read(groups, columns, rows, gaps))
        if not self._seen:
            raise refuse(self.path, "has no rows. It needs at least one.")

    def _read(
        self, groups: Sequence[Sequence[str]], columns: list[str], rows: int, gaps: Gaps
    ) -> Iterator[list[Array]]:
        with _in_words(self.path):
            for batch in self._file.iter_batches(rows, columns=columns):
                if batch.num_rows:
                    yield [self._numbers(batch.select(list(group)), gaps) for group in groups]
                    self._seen += batch.num_rows

    def _check_type(self, name: str, *, may_be_null: bool) -> None:
        kind = self._file.schema_arrow.field(name).type
        if may_be_null and pa.types.is_null(kind):
            return
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            raise refuse(self.path, f"must hold numbers; it is of type {kind}. {_remedy(kind)}", f"column {name!r}")

    def _numbers(self, batch: pa.RecordBatch, gaps: Gaps) -> Array:
        """Lay columns out as rows; pyarrow does that itself, and faster than numpy."""
        columns = [column if column.type == pa.float64() else column.cast(pa.float64(), safe=False) for column in batch]
        rows = pa.RecordBatch.from_arrays(columns, batch.schema.names).to_tensor(null_to_nan=True)
        numbers: Array = rows.to_numpy()
        if np.isfinite(numbers).all():
            return numbers
        may_be_empty = np.array([name in gaps.columns for name in batch.schema.names])
        bad = np.isinf(numbers) | (np.isnan(numbers) & ~may_be_empty)
        if bad.any():
            raise InvalidInput(*self._problems(batch, bad, gaps.refusal))
        return numbers

    def _problems(self, batch: pa.RecordBatch, bad: NDArray[np.bool_], empty: str) -> Iterator[Problem]:
        """Tell the first bad cells, row by row."""
        for row, place in np.argwhere(bad)[:SHOWN].tolist():
            valid = batch.column(place)[row].is_valid
            where = f"{self.path}, row {self._seen + row + 1}, column {batch.schema.names[place]!r}"
            yield Problem(where, "is not a finite number. Fill it in, or leave the row out." if valid else empty)


def _remedy(kind: pa.DataType) -> str:
    """Say what to do with a column that holds no numbers."""
    types = pa.types
    if types.is_boolean(kind):
        return BOOLEAN
    if types.is_duration(kind):
        return DURATION
    if types.is_temporal(kind):
        return TIME
    text = (types.is_string, types.is_large_string, types.is_string_view, types.is_dictionary)
    return TEXT if any(is_of(kind) for is_of in text) else OTHER


class ParquetColumn:
    """A file of some columns, written chunk by chunk."""

    def __init__(self, path: Path, *names: str) -> None:
        self._schema = pa.schema([(name, pa.float64()) for name in names])
        self._file = parquet.ParquetWriter(path, self._schema)

    def write(self, *numbers: Array) -> None:
        """Add numbers (M,), one array for each column."""
        # Not by pa.array, which imports pandas wherever there is one.
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
