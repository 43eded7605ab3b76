"""One Parquet file, read or written in chunks; needs pyarrow, the extra `gdssm[parquet]`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from service.errors import InvalidInput, Problem
from service.files.table import SHOWN, check_has, check_names, refuse
from service.shapes import Array


class ParquetTable:
    """A file whose columns are known; has what `Table` has.

    Raises:
        InvalidInput: It cannot be read, or is not Parquet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _in_words(path):
            self._file = parquet.ParquetFile(path)
        self.columns: list[str] = self._file.schema_arrow.names
        self._seen = 0
        check_names(path, self.columns)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def share(self) -> float:
        """How much of the file is read, from 0 to 1."""
        return float(self._seen / max(1, self._file.metadata.num_rows))

    def chunks(self, columns: Sequence[str], rows: int) -> Iterator[Array]:
        """Read some columns as numbers, as `Table.chunks` does."""
        check_has(self.path, self.columns, columns)
        with _in_words(self.path):
            for batch in self._file.iter_batches(rows, columns=list(columns)):
                if batch.num_rows:
                    yield np.column_stack([self._numbers(batch.column(name), name) for name in columns])
                    self._seen += batch.num_rows
        if not self._seen:
            raise refuse(self.path, "has no rows. It needs at least one.")

    def _numbers(self, column: pa.Array, name: str) -> Array:
        kind = column.type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            raise refuse(self.path, f"must hold numbers; it is of type {kind}.", f"column {name!r}")
        numbers: Array = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        wrong = np.flatnonzero(~np.isfinite(numbers))[:SHOWN]
        if len(wrong):
            raise InvalidInput(*(self._problem(column, name, int(row)) for row in wrong))
        return numbers

    def _problem(self, column: pa.Array, name: str, row: int) -> Problem:
        what = "is not a finite number" if column[row].is_valid else "is empty"
        place = f"{self.path}, row {self._seen + row + 1}, column {name!r}"
        return Problem(place, f"{what}. Fill it in, or leave the row out.")


class ParquetColumn:
    """A file of one column, written chunk by chunk."""

    def __init__(self, path: Path, name: str) -> None:
        self._schema = pa.schema([(name, pa.float64())])
        self._file = parquet.ParquetWriter(path, self._schema)

    def write(self, numbers: Array) -> None:
        """Add numbers (M,)."""
        self._file.write_batch(pa.record_batch([pa.array(numbers, pa.float64())], self._schema))

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
