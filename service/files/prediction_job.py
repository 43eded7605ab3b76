"""Two files to a context and its queries, read in chunks: the columns are matched by name."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from service.artifact import Manifest
from service.errors import InvalidInput, Problem
from service.files.table import NO_GAPS, Gaps, Table, check_has, listed, refuse
from service.predictor import Context
from service.shapes import Array

PARQUET = {".parquet", ".pq"}
"""Suffixes; everything else is CSV."""
NUMBERS_AT_ONCE = 2**19
"""In one chunk: 4 MiB."""


class Source(Protocol):
    """A file of rows, read once."""

    path: Path
    columns: list[str]

    @property
    def progress(self) -> float:
        """How much of it is read, from 0 to 1."""

    def chunks(self, groups: Sequence[Sequence[str]], rows: int, gaps: Gaps = NO_GAPS) -> Iterator[list[Array]]:
        """Read some columns as numbers: an array for each group of them; see `Table.chunks`."""

    def close(self) -> None:
        """Close it."""


@dataclass(frozen=True)
class PredictionJob:
    """What to learn from, and what to answer."""

    context: Source
    query: Source
    features: list[str]
    """Every column of the observations but the target and the weight."""
    target: str
    weight: str | None
    rows: int
    """Most rows of one chunk."""
    model: Manifest | None = None
    """Whose missing cells are read as NaN, if it takes them."""

    @property
    def progress(self) -> float:
        """How much of both files is read, from 0 to 1."""
        return (self.context.progress + self.query.progress) / 2

    def contexts(self) -> Iterator[Context]:
        """Read the observations; chunk by chunk they are one context."""
        apart = [[name] for name in _apart(self.target, self.weight)]
        for x, *others in self.context.chunks([self.features, *apart], self.rows, self._gaps()):
            y, *weight = (column[:, 0] for column in others)
            yield Context(x, y, weight[0] if weight else None)

    def queries(self) -> Iterator[Array]:
        """Read the queries, chunk by chunk."""
        return (x for (x,) in self.query.chunks([self.features], self.rows, self._gaps()))

    def _gaps(self) -> Gaps:
        if self.model is None:
            return NO_GAPS
        if self.model.missing_cells:
            return Gaps(frozenset(self.features))
        text = f"is empty; model {self.model.name} takes no missing cells (version {self.model.version}). Fill it in, "
        return Gaps(refusal=f"{text}leave the row out, or name another model.")


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
    """Open both files. Every column of the context but the target and the weight is a feature.

    Args:
        context_path: File of the observations, CSV or Parquet by its suffix.
        query_path: File with the same features, in any order; a target or a weight in it is not read.
        target: Name of the column to predict.
        weight: Name of the column that says how much each observation counts.
        rows: Most rows of one chunk; as many as make half a million numbers if left out.
        model: Whose missing cells are read as NaN, if it takes them; empty cells are refused otherwise.
        max_columns: Most columns of either file, the weight not counted; any number if left out.

    Raises:
        InvalidInput: A file or a column does not fit; each is named. The cells are looked at as they are read.
    """
    with closing(_open(context_path)) as context, closing(_open(query_path)) as query:
        for source in (context, query):
            _check_width(source, max_columns)
        features = _features(context, query, target, weight)
        yield PredictionJob(context, query, features, target, weight, rows or rows_at_once(len(features)), model)


def rows_at_once(inputs: int) -> int:
    """Find the size of a chunk where none is asked for: of D inputs, a target and a weight."""
    return max(1, NUMBERS_AT_ONCE // (inputs + 2))


def _open(path: Path) -> Source:
    if path.suffix.lower() not in PARQUET:
        return Table(path)
    from service.files.parquet import ParquetTable  # noqa: PLC0415  (pyarrow is an extra)

    return ParquetTable(path)


def _check_width(source: Source, most: int | None) -> None:
    columns = len(source.columns)
    if most is not None and columns > most + 1:  # one may be the weight
        raise refuse(source.path, f"has {columns} columns. Send at most {most} (GDSSM_MAX_COLUMNS).")


def _features(context: Source, query: Source, target: str, weight: str | None) -> list[str]:
    if target == weight:
        raise InvalidInput(Problem("", f"The target and the weight are both {target!r}. Name two columns."))
    apart = _apart(target, weight)
    features = [name for name in context.columns if name not in apart]
    if not features:
        raise refuse(context.path, f"has no column beside {listed(apart)} to learn from.")
    unknown = [name for name in query.columns if name not in {*features, *apart}]
    if unknown:
        raise refuse(query.path, f"has columns that {context.path} has not: {listed(unknown)}. Leave them out.")
    for source, wanted in ((context, [*features, *apart]), (query, features)):
        check_has(source.path, source.columns, wanted)
    return features


def _apart(target: str, weight: str | None) -> list[str]:
    return [target] if weight is None else [target, weight]
