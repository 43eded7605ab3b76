"""`gdssm predict` for any number of files, or from the file of a context."""

from collections.abc import Sequence
from pathlib import Path

import click

from service.commands.dataset_options import context_report, findings_report, opened_run, reading_of, show
from service.commands.options import WorkerOptions
from service.commands.predict import Options
from service.contexts.serialization import ContextArchive, read
from service.contexts.tables import parsed
from service.datasets.building import Learning, build_context
from service.datasets.file_predictions import Asked, ContextSource, predict_files
from service.datasets.files import DataFile, find_files
from service.datasets.models import ModelFile, load_predictor
from service.datasets.outputs import destination
from service.datasets.pieces_table import Dataset
from service.datasets.run import DatasetRun
from service.errors import InvalidInput, Problem
from service.settings import Settings
from service.tables.sources import in_words


def predict(
    context: Sequence[str], query: str, options: Options, out: str, workers: WorkerOptions, *, quiet: bool
) -> None:
    """Predict the rows of files, from files or from the file of a context.

    Args:
        context: Paths, directories, globs and URIs; or the one file of a context.
        query: A path, a directory, a glob or a URI of the rows to predict.
        options: Of the command.
        out: A directory or a URI for the predictions.
        workers: Run the parts.
        quiet: Whether not to print how the columns were used.

    Raises:
        InvalidInput: Something does not fit.
    """
    settings = Settings.from_environment()
    known, wanted = find_files(context), find_files([query])
    to = destination(out, options.form)
    to.outputs(wanted)
    reading = reading_of(options.table, settings.max_columns)
    with opened_run(to, workers, [*known, *wanted], reading=reading, options=options) as run:
        source = _source(run, known, options, settings, quiet=quiet)
        asked = Asked(options.keys, options.parameters, options.interval, options.append, options.chunk_rows)
        report = predict_files(run, Dataset.of(wanted, reading), source, asked, to)
    if not quiet:
        show(findings_report(report))


def _source(
    run: DatasetRun, files: Sequence[DataFile], options: Options, settings: Settings, *, quiet: bool
) -> ContextSource:
    """Learn the context, or read it."""
    if is_context(files[0].name):
        return _stored(files, options, settings)
    if options.target is None:
        raise click.UsageError("Missing option '--target'.")
    reading = reading_of(options.table, settings.max_columns)
    dataset = Dataset.of(files, reading)
    table = dataset.table()
    keys = [name for name in options.keys if name in table.columns]
    requested = options.table.requested(table, options.target, keys=keys, weight=options.weight)
    learning = Learning(options.model, options.version, None, options.chunk_rows)
    built = build_context(run, dataset, requested, learning, settings)
    if not quiet:
        show(context_report(built, options.weight))
    return ContextSource(ModelFile.of(built.runtime), built.file())


def is_context(name: str) -> bool:
    """Return whether a file is that of a context."""
    return Path(name).suffix == ".safetensors"


def _stored(files: Sequence[DataFile], options: Options, settings: Settings) -> ContextSource:
    if len(files) > 1:
        raise InvalidInput(Problem("", "One file of a context is enough; merge contexts in a service."))
    if options.weight or options.table.says_columns:
        raise InvalidInput(Problem("", "The file of a context says what its columns are. Leave the options out."))
    content = files[0].content()
    with in_words(content.name), content.start() as file:
        stored = file.read()
    archive = _archive(stored, content.name)
    header = archive.header
    if header.table_schema is None:
        text = "is a context of arrays, without names of columns. Build one of tables: gdssm contexts build."
        raise InvalidInput(Problem(content.name, text))
    if options.model not in {None, header.model} or options.version not in {None, header.model_version}:
        text = f"{content.name} is of {header.model} {header.model_version}. Leave --model and --version out."
        raise InvalidInput(Problem("--model", text))
    target = parsed(header.table_schema).target.name
    if options.target not in {None, target}:
        raise InvalidInput(Problem("--target", f"is {options.target!r}; {content.name} predicts {target!r}."))
    runtime = load_predictor(settings, header.model).runtime(header.model, header.model_version)
    if runtime.manifest.sha256 != header.model_sha256:
        text = f"is of another file of model {header.model} {header.model_version} than is here. Build it again."
        raise InvalidInput(Problem(content.name, text))
    return ContextSource(ModelFile.of(runtime), stored)


def _archive(stored: bytes, name: str) -> ContextArchive:
    try:
        return read(stored)
    except InvalidInput as error:
        raise InvalidInput(*(Problem(name, problem.message) for problem in error.problems)) from error
