"""`gdssm predict`: predict a column of a table, in chunks."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from service.commands.options import (
    WorkerOptions,
    by_setting,
    example,
    numbers_by_name,
    progress,
    service_options,
    worker_options,
)
from service.commands.table_options import TableOptions, WatchedTable, finding_line, learnt_columns, table_options
from service.datasets.models import default_model, load_predictor
from service.datasets.table_prediction import TablePrediction
from service.errors import InvalidInput, Problem
from service.inference.distribution import Wanted
from service.inference.predictor import Predictor
from service.settings import Settings
from service.tables.cells import Table
from service.tables.encoding import Finding, check_columns
from service.tables.extra import needed
from service.tables.inferring import decide
from service.tables.predicting import PredictedRows, model_for, summaries_of
from service.tables.requested import Requested
from service.tables.schema import listed
from service.tables.summary import ColumnSummary
from service.visible import visible

PROGRESS_STEPS = 1000
CONTEXT = ".safetensors"
"""End of the name of the file of a context."""
PLACE_LIMIT = 1_000_000
"""Rows up to which the line of a cell is found, by reading the file again."""

OUTPUTS = {"csv": ".csv", "csv.gz": ".csv.gz", "parquet": ".parquet", "arrow": ".arrow"}
"""Ends of names of outputs, by `--format`."""


@dataclass(frozen=True)
class Options:
    """The options of the command, for one file or many."""

    target: str | None
    keys: tuple[str, ...]
    weight: str | None
    table: TableOptions
    model: str | None
    version: str | None
    parameters: Mapping[str, float]
    interval: float | None
    append: bool
    out: str | None
    form: str | None
    chunk_rows: int | None


@click.command("predict", epilog=example("gdssm predict houses.csv --target price --interval 0.9 --out predicted.csv"))
@click.argument("files", nargs=-1, required=True, metavar="CONTEXT… [QUERY]")
@click.option("--target", metavar="COLUMN", help="The column of CONTEXT to predict.")
@click.option("--key", "keys", multiple=True, metavar="COLUMN", help="A column that names the rows; repeatable.")
@click.option("--weight", metavar="COLUMN", help="The column of CONTEXT with the weights of observations.")
@table_options
@click.option("--model", metavar="NAME", help=f"{by_setting('default_model')} For classes classifier.")
@click.option("--version", metavar="VERSION", help="Version of the model; the highest if left out.")
@click.option(
    "--parameter", "parameters", multiple=True, metavar="NAME=NUMBER", help="Such as learning_rate=0.1; repeatable."
)
@click.option(
    "--interval",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="P",
    help="Also write the bounds between which the target lies with this probability: COLUMN_lower and COLUMN_upper.",
)
@click.option("--append", is_flag=True, help="Write all columns of the file (with one file, all rows).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, as POST /v1/predict answers.")
@click.option(
    "--out", help="File for the predictions: .csv, .csv.gz, .parquet or .arrow. For many files DIR/ or a URI."
)
@click.option(
    "--format", "form", type=click.Choice([*OUTPUTS]), help="Of the files in DIR/; that of QUERY if left out."
)
@worker_options
@click.option("--chunk-rows", type=click.IntRange(min=1), metavar="N", help="Rows in memory at a time.")
@click.option("--quiet", is_flag=True, help="Do not print how the columns were used.")
@service_options
def command(
    *,
    files: tuple[str, ...],
    parameters: tuple[str, ...],
    as_json: bool,
    out: str | None,
    form: str | None,
    processes: int | None,
    ray: str | None,
    quiet: bool,
    url: str | None,
    api_key: str | None,
    **others: Any,  # noqa: ANN401  (the other fields of Options, and those of TableOptions)
) -> None:
    """Predict a column of QUERY from the rows of CONTEXT.

    Without QUERY, the rows of CONTEXT whose target is empty are predicted. Tables are CSV and its relatives, Parquet,
    Arrow, Excel or JSON lines; they are read in chunks and may be larger than memory. The kind of each column
    (number, yes or no, category, time, or left out) is inferred, and printed to the standard error.

    CONTEXT and QUERY may be directories, globs and URIs (file, s3, gs) of any number of files, and CONTEXT the file
    of a context: then each file of QUERY has an output in the directory of --out, and an interrupted run continues
    when it is started again.
    """
    needed("pyarrow", "Reading and writing tables")
    own = {field: others.pop(field) for field in Options.__dataclass_fields__ if field in others}
    numbers = numbers_by_name(parameters)
    options = Options(**own, table=TableOptions(**others), parameters=numbers, out=out, form=OUTPUTS.get(form or ""))
    if form or processes or ray or _are_many(files, out):
        if url is not None or as_json:
            raise InvalidInput(Problem("", "--url and --json are for one file to learn from, and one to predict."))
        _predict_files(files, options, WorkerOptions(processes, ray), quiet=quiet)
        return
    if options.target is None:
        raise click.UsageError("Missing option '--target'.")
    context, query = Path(files[0]), Path(files[1]) if len(files) > 1 else None
    settings = Settings.from_environment()
    if url is not None and (options.append or as_json or options.chunk_rows):
        raise InvalidInput(Problem("", "--url takes neither --append, --json nor --chunk-rows."))
    # before the tables are read, if it is known already
    predictor = None if options.model is None or url is not None else load_predictor(settings, options.model)
    with _watched_tables(options.table, context, query, settings.max_columns) as (known, wanted):
        requested = _requested(options, known, wanted)
        if url is None:
            _predict_here(settings, predictor, (known, wanted), requested, options, as_json=as_json, quiet=quiet)
        else:
            _predict_by_service(url, api_key, (known, wanted), requested._replace(keys=()), options, quiet=quiet)


def _requested(options: Options, known: Table, wanted: Table | None) -> Requested:
    """Say what the options say of the columns of the tables.

    Raises:
        InvalidInput: A column does not exist.
    """
    check_columns([options.target or "", *([options.weight] if options.weight else [])], known.columns, known.name)
    check_columns(options.keys, (wanted or known).columns, (wanted or known).name)
    keys = [name for name in options.keys if wanted is None or name in known.columns]
    return options.table.requested(known, options.target, keys=keys, weight=options.weight)


def _predict_here(
    settings: Settings,
    predictor: Predictor | None,
    tables: tuple[Table, Table | None],
    requested: Requested,
    options: Options,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    known, wanted = tables
    summaries = summaries_of(known, requested)
    schema = decide(summaries, requested, known.place)
    predictor = predictor or load_predictor(settings, default_model(settings, schema))
    job = TablePrediction(
        predictor,
        model_for(predictor, schema, options.model, options.version),
        schema,
        known,
        wanted,
        options.weight,
        options.keys,
        whole=options.append or bool(options.keys),
        chunk_rows=options.chunk_rows,
    )
    answers = job.run(options.parameters, Wanted(options.interval))
    if as_json:
        _print_json(job, answers)
    else:
        _write(job, answers, _path(options.out), append=options.append)
    if not quiet:
        for line in report(job, summaries):
            click.echo(visible(line), err=True)


def _path(out: str | None) -> Path | None:
    return Path(out) if out else None


@contextmanager
def _watched_tables(
    options: TableOptions, context: Path, query: Path | None, max_columns: int
) -> Iterator[tuple[Table, Table | None]]:
    """Open the tables, of which the context is read twice, under a progress bar."""
    with ExitStack() as stack:
        bar = stack.enter_context(progress(PROGRESS_STEPS, "Predicting"))

        def passed(reading: int, part: float) -> None:
            bar.update(max(0, int((min(reading, 2) + part) / 3 * PROGRESS_STEPS) - bar.pos))

        known = WatchedTable(stack.enter_context(options.open(context, max_columns)), passed)
        wanted = None
        if query is not None:
            table = stack.enter_context(options.open(query, max_columns))
            wanted = WatchedTable(table, lambda _, part: passed(2, part))
        yield known, wanted


def _predict_by_service(
    url: str,
    api_key: str | None,
    tables: tuple[Table, Table | None],
    requested: Requested,
    options: Options,
    *,
    quiet: bool,
) -> None:
    from gdssm_client import Client  # noqa: PLC0415  (httpx is an extra)
    from service.commands import predict_by_service  # noqa: PLC0415

    asked = {name: getattr(options, name) for name in ("keys", "interval", "model", "version", "parameters")}
    with Client(url, api_key=api_key) as client:
        found = predict_by_service.predict(client, *tables, requested, **asked)
    predict_by_service.write(found, requested.target or "", _path(options.out))
    if not quiet:
        for line in predict_by_service.report(found, tables[0].name):
            click.echo(visible(line), err=True)


def _are_many(files: Sequence[str], out: str | None) -> bool:
    """Return whether the arguments are more than one file to learn from, and one to predict."""
    return len(files) > 2 or any(map(_is_many, files)) or (out is not None and ("://" in out or is_directory(out)))


def _is_many(file: str) -> bool:
    if "://" in file or file.endswith(CONTEXT) or Path(file).is_dir():
        return True
    return bool({*file} & {*"*?["}) and not Path(file).exists()


def is_directory(out: str) -> bool:
    """Return whether an output is a directory: it is there, or it ends with /."""
    return out.endswith("/") or Path(out).is_dir()


def _predict_files(files: Sequence[str], options: Options, workers: WorkerOptions, *, quiet: bool) -> None:
    from service.commands import predict_files  # noqa: PLC0415  (pyarrow)

    if len(files) < 2:
        text = "Name the rows to predict last, such as: gdssm predict data/ queries/ --target price --out predicted/"
        raise InvalidInput(Problem("", text))
    if options.out is None:
        raise InvalidInput(Problem("--out", "is missing. Name a directory for the predictions, such as predicted/."))
    predict_files.predict(files[:-1], files[-1], options, options.out, workers, quiet=quiet)


def _write(job: TablePrediction, answers: Iterator[PredictedRows], out: Path | None, *, append: bool) -> None:
    from service.tables.prediction_columns import predicted_rows, rows_with_predictions  # noqa: PLC0415  (pyarrow)
    from service.tables.writing import is_typed, open_output  # noqa: PLC0415

    with open_output(out) as writer:
        for part in answers:
            if append:
                writer.write(rows_with_predictions(part, job.schema, typed=is_typed(out)))
            else:
                writer.write(predicted_rows(part, job.schema, job.keys))


def _print_json(job: TablePrediction, answers: Iterator[PredictedRows]) -> None:
    from service.api.table_representations import json_of_prediction  # noqa: PLC0415  (the web framework)

    click.echo(json_of_prediction(job, [*answers]))


def report(job: TablePrediction, summaries: Mapping[str, ColumnSummary]) -> Iterator[str]:
    """Say how the columns were used, unless all are numbers without gaps, and which cells could not be used."""
    context, query, schema = job.context, job.query, job.schema
    for table in (context, *([query] if query else [])):
        yield from (f"{table.name}: {note}." for note in table.notes)
    learnt = f"{context.name}: learnt from {job.n_observations} rows, by model {job.runtime.manifest.name}."
    yield from learnt_columns(learnt, schema, summaries, job.weight)
    if query:
        known = {*context.columns, *job.keys}
        more = [name for name in query.columns if name not in known]
        if more:
            yield f"{query.name}: not used, as {context.name} has no such column: {listed(more)}."
    for table, findings in ((context, job.found), (query or context, job.found_in_queries)):
        yield from (f"{table.name}, {finding_line(one, _place(table, one))}" for one in findings)


def _place(table: Table, found: Finding) -> str:
    return table.place(found.row) if found.row < PLACE_LIMIT else f"row {found.row + 1}"
