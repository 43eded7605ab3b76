"""A context of the rows of any number of files: each split is learnt apart, and the states are joined in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from service.contexts.serialization import canonical_state, check_imported, export, read, state_of_archive
from service.contexts.tables import written
from service.datasets.models import ModelFile, default_model, load_predictor, worker_predictor
from service.datasets.pieces_table import Dataset, FileOptions, PiecesTable
from service.datasets.reports import DatasetReport, SplitReport, report_and_result
from service.datasets.run import DatasetRun
from service.datasets.splits import Split, splits_of
from service.datasets.streaming import learned
from service.datasets.summarizing import SplitSummary, Summarize, merged, mixed_columns
from service.datasets.table_prediction import TablePrediction
from service.errors import InvalidInput, Problem
from service.inference.artifact import Manifest
from service.inference.checks import UNLIMITED
from service.inference.predictor import Predictor
from service.inference.runtime import Runtime
from service.settings import Settings
from service.states.context_state import ContextState, FeatureScale, new_state, scale_of
from service.states.forgetting import AUTO, Decay
from service.states.merge import join
from service.tables.inferring import decide
from service.tables.predicting import model_for
from service.tables.requested import Requested
from service.tables.schema import TableSchema
from service.tables.summary import ColumnSummary


class Learning(NamedTuple):
    """What a caller says of the learning."""

    model: str | None = None
    version: str | None = None
    decay: Decay = None
    chunk_rows: int | None = None
    """Rows in memory at a time."""


@dataclass(frozen=True)
class Learn:
    """The work on a split: learn its rows into a state that begins empty."""

    reading: FileOptions
    model: ModelFile
    schema: TableSchema
    weight: str | None
    decay: Decay
    scale: FeatureScale | None
    chunk_rows: int | None

    def __call__(self, split: Split) -> bytes:
        """Learn a split, and return its state.

        Raises:
            InvalidInput: A file cannot be read, or a row does not fit.
        """
        predictor = worker_predictor(self.model.name)
        runtime, table = self.model.runtime(predictor), PiecesTable(split.pieces, self.reading)
        job = TablePrediction(predictor, runtime, self.schema, table, weight=self.weight, chunk_rows=self.chunk_rows)
        state = learned(predictor, runtime, new_state(runtime.manifest, self.decay, self.scale), job.observations())
        return SplitReport(table.rows, [*job.found]).with_result(export(runtime.manifest, state))


class BuiltContext(NamedTuple):
    """A context of the rows of files."""

    state: ContextState
    schema: TableSchema
    predictor: Predictor
    runtime: Runtime
    columns: Mapping[str, ColumnSummary]
    """Summaries of the features and the target."""
    unused: Mapping[str, Sequence[str]]
    """Columns of files that the first file does not have, by file."""
    notes: Sequence[str]
    """What reading has changed or left out."""
    report: DatasetReport

    def file(self) -> bytes:
        """Write the file that a service imports."""
        return export(self.runtime.manifest, self.state)


def build_context(
    run: DatasetRun, dataset: Dataset, requested: Requested, learning: Learning, settings: Settings
) -> BuiltContext:
    """Learn the rows of files that have a target.

    Args:
        run: Runs the parts, and keeps their results.
        dataset: The files.
        requested: What the caller says of the columns.
        learning: What the caller says of the learning.
        settings: Have the directories of models.

    Raises:
        InvalidInput: A file cannot be read or has other columns, or something else does not fit; names the file.
        UnsupportedByModel: The model has no state, or cannot forget.
    """
    summary = _summarize(run, dataset, requested)
    whole = DatasetReport(dataset, summary.rows)
    schema = decide(summary.columns, requested, whole.place)
    predictor = load_predictor(settings, learning.model or default_model(settings, schema))
    runtime = model_for(predictor, schema, learning.model, learning.version)
    manifest = runtime.manifest
    empty = new_state(manifest, learning.decay)
    splits = splits_of(dataset.pieces, ordered=not _joins(manifest, learning.decay))
    job = TablePrediction(
        predictor, runtime, schema, dataset.table(), weight=requested.weight, chunk_rows=learning.chunk_rows
    )
    scale = _first_scale(job, learning.decay)
    model = ModelFile.of(runtime)
    work = Learn(dataset.reading, model, schema, requested.weight, learning.decay, scale, learning.chunk_rows)
    report, state = DatasetReport(dataset), empty
    for result in run.results(f"learn-{manifest.sha256[:16]}", work, splits):
        part_report, part = report_and_result(result)
        learnt, first = state_of_archive(read(part), manifest), not report.rows
        state = learnt if first else join(runtime, state, learnt, allow_precision_loss=True)
        report.add(part_report)
    if state.is_empty:
        raise InvalidInput(
            Problem(dataset.pieces[0].file.name, "has no row with a target, as no other file. Name others.")
        )
    state = canonical_state(replace(state, table_schema=written(schema)))
    check_imported(state, manifest, UNLIMITED)
    return BuiltContext(state, schema, predictor, runtime, summary.columns, summary.unused, summary.notes, report)


def _joins(manifest: Manifest, decay: Decay) -> bool:
    """Return whether states of parts can be joined; otherwise one task learns all rows in order."""
    return manifest.merge.rule != "none" and decay != AUTO


def _summarize(run: DatasetRun, dataset: Dataset, requested: Requested) -> SplitSummary:
    """Summarise the columns of all files; those that are text somewhere are read again, as text."""
    known, target = dataset.table().columns, requested.target or ""
    features, splits = requested.features(known), splits_of(dataset.pieces)
    columns = (*features, target)
    needed = (requested.weight,) if requested.weight else ()
    text = frozenset(requested.as_text())
    work = Summarize(dataset.reading, dataset.pieces[0].file.name, known, columns, text, target, needed)
    found = merged(run.results("columns", work, splits), columns)
    mixed = tuple(mixed_columns(found))
    if mixed:
        again = replace(work, columns=mixed, text=text | {*mixed})
        found.columns |= merged(run.results("texts", again, splits), mixed).columns
    return found


def _first_scale(job: TablePrediction, decay: Decay) -> FeatureScale | None:
    """Return the scale that the first rows give the features, as one context of all rows would have it."""
    manifest = job.runtime.manifest
    if manifest.features is None or not manifest.features.makes_features or not _joins(manifest, decay):
        return None
    state = new_state(manifest, decay)
    for chunk in job.observations():
        state = learned(job.predictor, job.runtime, state, [chunk])
        scale = scale_of(state.tensors)
        if scale is not None:
            return scale
    return None
