"""Options of commands that read any number of files, and how their run is reported."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, is_dataclass
from importlib.metadata import version
from typing import Any

import click

from service.commands.options import WorkerOptions, progress
from service.commands.table_options import TableOptions, finding_line, learnt_columns
from service.datasets.building import BuiltContext
from service.datasets.engine import Engine, LocalEngine
from service.datasets.files import DataFile
from service.datasets.outputs import OutputPlace
from service.datasets.pieces_table import FileOptions
from service.datasets.reports import DatasetReport
from service.datasets.run import DatasetRun
from service.datasets.run_directory import RunDirectory, fingerprint_of
from service.errors import InvalidInput, Problem
from service.states.forgetting import AUTO, RULE, Decay
from service.tables.schema import listed
from service.visible import visible

Decorated = Callable[..., Any]
STEPS = 1000
"""Of a progress bar."""
LABELS = {"columns": "Looking at columns", "texts": "Looking at texts", "predict": "Predicting", "join": "Writing"}
"""By stage of a run; the stages of learning have the hash of the model in their names."""
SHOWN = 20
"""Notes that are printed."""


def reading_of(options: TableOptions, max_columns: int) -> FileOptions:
    """Say how files are read; one column more than the limit may be the weight."""
    return FileOptions(options.reading, max_columns + 1)


def decay_of(text: str | None) -> Decay:
    """Parse a value of `--decay`.

    Raises:
        InvalidInput: It is none.
    """
    if text is None or text == AUTO:
        return text  # type: ignore[return-value]  # "auto" is one
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(Problem("--decay", f"{RULE}; this is {text!r}.")) from None


@contextmanager
def opened_run(
    to: OutputPlace, workers: WorkerOptions, files: Sequence[DataFile], **options: object
) -> Iterator[DatasetRun]:
    """Begin a run, or continue one that was interrupted; its directory is removed when it has ended well.

    Args:
        to: The outputs.
        workers: Run its parts; others may continue it.
        files: All inputs.
        options: All that decides about the results.
    """
    identities = [file.identity for file in files]
    fingerprint = fingerprint_of(_plain({"gdssm": version("gdssm"), "files": identities, **options}))
    with ExitStack() as stack:
        directory = stack.enter_context(RunDirectory.opened(to.run_directory, fingerprint))
        if directory.changed:
            click.echo("Files or options are not those of the interrupted run: begins again.", err=True)
        elif directory.resumed:
            click.echo("Continues the interrupted run.", err=True)
        engine = stack.enter_context(_engine(workers))
        bars = stack.enter_context(_Bars())
        yield DatasetRun(engine, directory, bars.update)
        to.remove_scratch()


def _engine(workers: WorkerOptions) -> AbstractContextManager[Engine]:
    if workers.ray is None:
        return LocalEngine(workers.processes or 1)
    from service.datasets.ray_engine import RayEngine  # noqa: PLC0415  (ray is an extra)

    return RayEngine(workers.ray, workers.processes)


class _Bars(ExitStack):
    """A progress bar for each stage, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._stage, self._bar = "", None

    def update(self, stage: str, part: float) -> None:
        """Show how much of a stage has passed."""
        if stage != self._stage:
            self.close()
            self._stage = stage
            self._bar = self.enter_context(progress(STEPS, LABELS.get(stage, "Learning")))
        if self._bar is not None:
            self._bar.update(max(0, int(part * STEPS) - self._bar.pos))


def _plain(value: object) -> Any:  # noqa: ANN401  (values of JSON)
    """Convert options to values of JSON, with the same text in every process."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def context_report(built: BuiltContext, weight: str | None) -> Iterator[str]:
    """Say how the columns of files were used, and which cells could not be used."""
    yield from built.notes[:SHOWN]
    if len(built.notes) > SHOWN:
        yield f"And {len(built.notes) - SHOWN} more notes."
    for file, columns in [*built.unused.items()][:SHOWN]:
        yield f"{file}: not used, as the first file has no such column: {listed(columns)}."
    learnt = f"Learnt from {built.state.n_observations} rows, by model {built.runtime.manifest.name}."
    yield from learnt_columns(learnt, built.schema, built.columns, weight)
    yield from findings_report(built.report)


def findings_report(report: DatasetReport) -> Iterator[str]:
    """Say which cells could not be used."""
    return (finding_line(one, report.place(one.row)) for one in report.found)


def show(lines: Iterator[str]) -> None:
    """Print lines to the standard error."""
    for line in lines:
        click.echo(visible(line), err=True)
