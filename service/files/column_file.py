"""Writing columns of numbers in chunks: to the standard output, CSV or Parquet."""

import csv
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Protocol, TextIO

from service.errors import InvalidInput, Problem
from service.files.prediction_job import PARQUET_SUFFIXES
from service.inference.sizes import Array


class ColumnWriter(Protocol):
    """A file of columns."""

    def write(self, *numbers: Array) -> None:
        """Write numbers (M,), one array for each column."""


class CsvWriter:
    """CSV with a header, in full precision."""

    def __init__(self, file: TextIO, *names: str) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._header = [names]

    def write(self, *numbers: Array) -> None:
        """Write numbers (M,); the header is written with the first ones, so that an earlier error writes nothing."""
        self._writer.writerows([*self._header, *zip(*(column.tolist() for column in numbers), strict=True)])
        self._header = []


@contextmanager
def open_column(out: Path | None, *names: str) -> Iterator[ColumnWriter]:
    """Open the file for predictions; it gets its name when it is complete.

    Args:
        out: CSV, or Parquet by its suffix; the standard output if left out.
        names: Of the columns.

    Raises:
        InvalidInput: The file cannot be written.
    """
    if out is None:
        yield CsvWriter(sys.stdout, *names)
        return
    regular = out.is_file() or not out.exists()  # and not a pipe or a device
    part = out.with_name(f".{out.name}.part") if regular else out
    try:
        with _written(part, *names, parquet=out.suffix.lower() in PARQUET_SUFFIXES) as column:
            yield column
        if regular:
            part.replace(out)
    except OSError as error:
        raise InvalidInput(Problem(str(out), f"cannot be written ({error.strerror}).")) from error
    finally:
        if regular:
            with suppress(OSError):
                part.unlink(missing_ok=True)


@contextmanager
def _written(path: Path, *names: str, parquet: bool) -> Iterator[ColumnWriter]:
    if parquet:
        from service.files.parquet import ParquetWriter  # noqa: PLC0415  (pyarrow is an extra)

        with closing(ParquetWriter(path, *names)) as column:
            yield column
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield CsvWriter(file, *names)
