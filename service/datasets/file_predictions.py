"""Predictions for any number of files, one output for each, with its rows in order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple, cast

import numpy as np
from pyarrow import ipc, parquet

from service.contexts.serialization import read, state_of_archive
from service.contexts.tables import schema_of
from service.datasets.files import Location
from service.datasets.models import ModelFile, worker_predictor
from service.datasets.outputs import OutputPlace, open_whole
from service.datasets.pieces_table import Dataset, FileOptions
from service.datasets.reports import DatasetReport, SplitReport, report_and_result
from service.datasets.run import DatasetRun
from service.datasets.splits import Piece, Split, splits_of
from service.datasets.table_prediction import TablePrediction
from service.errors import InvalidInput, Problem
from service.inference.artifact import Manifest
from service.inference.distribution import Wanted
from service.inference.predictor import Prediction
from service.inference.runtime import Runtime
from service.states.context_state import ContextState
from service.states.readouts import ReadoutCache
from service.tables.cells import Chunk, Table
from service.tables.encoding import check_columns
from service.tables.predicting import PredictedRows
from service.tables.prediction_columns import predicted_rows, rows_with_predictions
from service.tables.schema import TableSchema
from service.tables.sources import BLOCK
from service.tables.writing import FORMATS, TableWriter, table_writer

BUFFER_SIZE = 2**16
"""Bytes of each column that are read at a time when parts are joined."""


class Asked(NamedTuple):
    """What a caller wants of each row."""

    keys: tuple[str, ...] = ()
    """Columns that name the rows."""
    parameters: Mapping[str, float] = {}
    interval: float | None = None
    append: bool = False
    """Whether all columns of the file are written too."""
    chunk_rows: int | None = None


@dataclass(frozen=True)
class PredictedSplit:
    """A task: a split, and where its predictions are written."""

    split: Split
    outputs: tuple[Location, ...]
    """One for each piece: the output of a whole file, or a part of it."""

    @property
    def size(self) -> int:
        """Bytes of the split."""
        return self.split.size


@dataclass(frozen=True)
class Predict:
    """The work on a split: predict its rows from a state, and write them."""

    reading: FileOptions
    model: ModelFile
    state: bytes
    """As `export` wrote it, with the schema of its table."""
    asked: Asked
    scratch: Location

    def __call__(self, task: PredictedSplit) -> bytes:
        """Predict a split.

        Raises:
            InvalidInput: A file cannot be read or written, or has other columns.
        """
        report = SplitReport()
        for piece, output in zip(task.split.pieces, task.outputs, strict=True):
            with piece.open(*self.reading) as table:
                check_columns(self.asked.keys, table.columns, table.name)
                self._predict(table, output, report, first=piece.is_first)
        return report.with_result()

    def _predict(self, table: Table, output: Location, report: SplitReport, *, first: bool) -> None:
        asked, predictor, (runtime, state, readouts) = (
            self.asked,
            worker_predictor(self.model.name),
            _restored(self.state, self.model),
        )
        schema = schema_of(state.table_schema)
        job = TablePrediction(
            predictor,
            runtime,
            schema,
            context=table,
            query=table,
            keys=asked.keys,
            whole=asked.append or bool(asked.keys),
            chunk_rows=asked.chunk_rows,
        )
        suffix = PurePosixPath(output.path).suffix
        rows, typed = 0, suffix.lower() in FORMATS
        with open_whole(output, self.scratch) as file, table_writer(file, suffix, header=first) as writer:
            empty = True
            for part in job.run_from(state, asked.parameters, Wanted(asked.interval), readouts):
                _write(writer, part, schema, asked, typed=typed)
                rows, empty = rows + part.chunk.rows, False
            if empty:
                _write(writer, _no_rows(runtime.manifest, schema, asked), schema, asked, typed=typed)
        start = sum(report.rows)
        report.findings += [found._replace(row=start + found.row) for found in job.found_in_queries]
        report.rows.append(rows)


def _write(writer: TableWriter, part: PredictedRows, schema: TableSchema, asked: Asked, *, typed: bool) -> None:
    if asked.append:
        writer.write(rows_with_predictions(part, schema, typed=typed))
    else:
        writer.write(predicted_rows(part, schema, asked.keys))


def _no_rows(manifest: Manifest, schema: TableSchema, asked: Asked) -> PredictedRows:
    """Make the prediction of a file without rows."""
    none = np.empty((0, len(schema.classes)) if schema.classes else 0)
    bound = None if asked.interval is None or schema.classes else none
    return PredictedRows(Chunk(0, 0, {}), Prediction(none, manifest, 0, lower=bound, upper=bound))


@lru_cache(maxsize=2)
def _restored(file: bytes, model: ModelFile) -> tuple[Runtime, ContextState, ReadoutCache]:
    """Load a model, and read a state for it, once in a process."""
    runtime = model.runtime(worker_predictor(model.name))
    return runtime, state_of_archive(read(file), runtime.manifest), ReadoutCache()


@dataclass(frozen=True)
class JoinedParts:
    """A task: the parts of one output."""

    parts: tuple[Location, ...]
    output: Location
    size: int


@dataclass(frozen=True)
class Join:
    """The work on the parts of an output: write them as one file."""

    scratch: Location

    def __call__(self, task: JoinedParts) -> bytes:
        """Join the parts of an output.

        Raises:
            InvalidInput: It cannot be written.
        """
        suffix = PurePosixPath(task.output.path).suffix.lower()
        with open_whole(task.output, self.scratch) as file:
            if suffix in FORMATS:
                with table_writer(file, suffix) as writer:
                    for part in task.parts:
                        for batch in _batches(part, FORMATS[suffix]):
                            writer.write(batch)
            else:
                for part in task.parts:  # compressed ones too: gzip has members
                    _copy(part, file)
        return b""


def _batches(part: Location, form: str) -> Iterator[object]:
    with part.filesystem.open_input_file(part.path) as file:
        if form == "parquet":
            with parquet.ParquetFile(file, pre_buffer=False, buffer_size=BUFFER_SIZE) as opened:
                for group in range(opened.metadata.num_row_groups):
                    yield from opened.iter_batches(opened.metadata.row_group(group).num_rows, row_groups=[group])
        else:
            batches = ipc.open_file(file)
            for number in range(batches.num_record_batches):
                yield batches.get_batch(number)


def _copy(part: Location, file: BinaryIO) -> None:
    with cast("BinaryIO", part.filesystem.open_input_stream(part.path)) as source:
        while block := source.read(BLOCK):
            file.write(block)


class ContextSource(NamedTuple):
    """The context that predictions come from."""

    model: ModelFile
    state: bytes


def predict_files(
    run: DatasetRun, dataset: Dataset, source: ContextSource, asked: Asked, to: OutputPlace
) -> DatasetReport:
    """Predict all rows of files.

    Args:
        run: Runs the parts, and keeps the finished ones.
        dataset: The rows to predict.
        source: The context.
        asked: What the caller wants.
        to: The outputs.

    Raises:
        InvalidInput: A file cannot be read or written, or has other columns; names it.
    """
    files = list({piece.place: piece.file for piece in dataset.pieces}.values())
    outputs = to.outputs(files)
    places = _places(dataset.pieces, outputs, to.scratch)
    tasks, at = list[PredictedSplit](), 0
    for split in splits_of(dataset.pieces):
        tasks.append(PredictedSplit(split, tuple(places[at : at + len(split.pieces)])))
        at += len(split.pieces)
    report = DatasetReport(dataset)
    for result in run.results("predict", Predict(dataset.reading, *source, asked, to.scratch), tasks, _are_there):
        report.add(report_and_result(result)[0])
    _check_shared(places)
    joins = list(_joins(dataset.pieces, places, outputs))
    for _ in run.results("join", Join(to.scratch), joins, _is_there):
        pass
    return report


def _places(pieces: Sequence[Piece], outputs: Sequence[Location], scratch: Location) -> list[Location]:
    """Say where the predictions of each piece are written: the output of its file, or a part of it."""
    counts = np.bincount([piece.place for piece in pieces], minlength=len(outputs))
    places = list[Location]()
    for number, piece in enumerate(pieces):
        output = outputs[piece.place]
        name = f"parts/{number}{PurePosixPath(output.path).suffix}"
        places.append(output if counts[piece.place] == 1 else scratch.child(name))
    return places


def _joins(pieces: Sequence[Piece], places: Sequence[Location], outputs: Sequence[Location]) -> Iterator[JoinedParts]:
    """Yield the outputs that have several parts."""
    parts = dict[int, list[int]]()
    for number, piece in enumerate(pieces):
        parts.setdefault(piece.place, []).append(number)
    for place, numbers in parts.items():
        if len(numbers) > 1:
            size = sum(pieces[number].size for number in numbers)
            yield JoinedParts(tuple(places[number] for number in numbers), outputs[place], size)


def _check_shared(places: Sequence[Location]) -> None:
    """See that no task has written on the disk of another machine.

    Raises:
        InvalidInput: One has.
    """
    for place in places:
        if not place.is_remote and not place.info().is_file:
            text = "was written on the disk of another machine. Name a directory or URI that all nodes share."
            raise InvalidInput(Problem("--out", f"{place.name} {text}"))


def _are_there(task: PredictedSplit) -> bool:
    return all(output.info().is_file for output in task.outputs)


def _is_there(task: JoinedParts) -> bool:
    return bool(task.output.info().is_file)
