"""A file of observations and a file of queries, read in chunks, with columns matched by name."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from service.errors import InvalidInput, Problem
from service.files.table import REFUSE_EMPTY, CsvTable, EmptyCells, check_has, listed, refuse
from service.inference.artifact import Manifest
from service.inference.predictor import Observations
from service.inference.sizes import Array

PARQUET_SUFFIXES = {".parquet", ".pq"}
"""Suffixes; everything else is CSV."""
CHUNK_NUMBERS = 2**19
"""Numbers in one chunk: 4 MiB."""


class Source(Protocol):
    """A file of rows, which can be read once."""

    path: Path
    columns: list[str]

    @property
    def progress(self) -> float:
        """The part of the file that is read, from 0 to 1."""

    def chunks(
        self, groups: Sequence[Sequence[str]], rows: int, empty: EmptyCells = REFUSE_EMPTY
    ) -> Iterator[list[Array]]:
        """Read columns as numbers; see `CsvTable.chunks`."""

    def close(self) -> None:
        """Close the file."""


@dataclass(frozen=True)
class PredictionJob:
    """Observations and queries in files."""

    context: Source
    query: Source
    features: list[str]
    """All columns of the observations except the target and the weight."""
    target: str
    weight: str | None
    rows: int
    """Rows in one chunk."""
    model: Manifest | None = None
    """Empty cells are NaN if it accepts missing cells."""

    @property
    def progress(self) -> float:
        """The part of both files that is read, from 0 to 1."""
        return (self.context.progress + self.query.progress) / 2

    def observations(self) -> Iterator[Observations]:
        """Read the observations of one context in chunks."""
        separate = [[name] for name in _separate(self.target, self.weight)]
        for x, *others in self.context.chunks([self.features, *separate], self.rows, self._empty_cells()):
            y, *weight = (column[:, 0] for column in others)
            yield Observations(x, y, weight[0] if weight else None)

    def queries(self) -> Iterator[Array]:
        """Read the queries in chunks."""
        return (x for (x,) in self.query.chunks([self.features], self.rows, self._empty_cells()))

    def _empty_cells(self) -> EmptyCells:
        if self.model is None:
            return REFUSE_EMPTY
        if self.model.missing_cells:
            return EmptyCells(frozenset(self.features))
        text = f"is empty; model {self.model.name} takes no missing cells (version {self.model.version}). Fill it in, "
        return EmptyCells(refusal=f"{text}leave the row out, or name another model.")


@contextmanager
def open_job(
    context_path: Path,
    query_path: Path,
    target: str,
    weight: str | None = None,
    rows: int | None = None,
    *,
    model: Manifest | None = None,
    max_columns: int | None = None,
) -> Iterator[PredictionJob]:
    """Open both files. The features are all columns of the context except the target and the weight.

    Args:
        context_path: File of the observations, CSV or Parquet by its suffix.
        query_path: File with the same features, in any order; a target or a weight in it is ignored.
        target: Name of the column to predict.
        weight: Name of the column of weights of observations.
        rows: Rows in one chunk; half a million numbers if left out.
        model: If it accepts missing cells, empty cells are NaN; otherwise they are refused.
        max_columns: Limit on the columns of each file, without the weight.

    Raises:
        InvalidInput: A file or a column does not fit. Cells are checked when they are read.
    """
    with closing(_open(context_path)) as context, closing(_open(query_path)) as query:
        for source in (context, query):
            _check_width(source, max_columns)
        features = _features(context, query, target, weight)
        yield PredictionJob(context, query, features, target, weight, rows or default_rows(len(features)), model)


def default_rows(inputs: int) -> int:
    """Return the default rows of a chunk, for D inputs, a target and a weight."""
    return max(1, CHUNK_NUMBERS // (inputs + 2))


def _open(path: Path) -> Source:
    if path.suffix.lower() not in PARQUET_SUFFIXES:
        return CsvTable(path)
    from service.files.parquet import ParquetTable  # noqa: PLC0415  (pyarrow is an extra)

    return ParquetTable(path)


def _check_width(source: Source, limit: int | None) -> None:
    columns = len(source.columns)
    if limit is not None and columns > limit + 1:  # one may be the weight
        raise refuse(source.path, f"has {columns} columns. Send at most {limit} (GDSSM_MAX_COLUMNS).")


def _features(context: Source, query: Source, target: str, weight: str | None) -> list[str]:
    if target == weight:
        raise InvalidInput(Problem("", f"The target and the weight are both {target!r}. Name two columns."))
    separate = _separate(target, weight)
    features = [name for name in context.columns if name not in separate]
    if not features:
        raise refuse(context.path, f"has no column except {listed(separate)} to learn from.")
    unknown = [name for name in query.columns if name not in {*features, *separate}]
    if unknown:
        raise refuse(query.path, f"has columns that {context.path} lacks: {listed(unknown)}. Leave them out.")
    for source, wanted in ((context, [*features, *separate]), (query, features)):
        check_has(source.path, source.columns, wanted)
    return features


def _separate(target: str, weight: str | None) -> list[str]:
    return [target] if weight is None else [target, weight]
