"""`gdssm predict`: predict a column of a table, in chunks."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from service.commands.options import by_setting, example, numbers_by_name, progress, service_options
from service.commands.table_options import TableOptions, WatchedTable, aligned, missing_cells, table_options
from service.datasets.table_prediction import TablePrediction
from service.errors import InvalidInput, Problem
from service.inference.checks import Limits
from service.inference.distribution import Wanted
from service.inference.predictor import Predictor
from service.registry.repository import Repository
from service.settings import Settings
from service.tables.cells import Table
from service.tables.describing import describe_columns
from service.tables.encoding import Finding, check_columns
from service.tables.extra import needed
from service.tables.inferring import Requested, decide
from service.tables.predicting import CLASSIFIER, PredictedRows, model_for, summaries_of
from service.tables.schema import TableSchema, listed
from service.tables.summary import ColumnSummary
from service.visible import visible

PROGRESS_STEPS = 1000
PLACE_LIMIT = 1_000_000
"""Rows up to which the line of a cell is found, by reading the file again."""

FINDINGS = {
    "unreadable": "not readable, taken as missing",
    "new_level": "with a level that no row with a target has, taken as none",
    "target": "not readable, rows not used",
}
"""Words for cells, by `Finding.what`."""


@click.command("predict", epilog=example("gdssm predict houses.csv --target price --interval 0.9 --out predicted.csv"))
@click.argument("context", type=click.Path(path_type=Path, allow_dash=True))
@click.argument("query", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--target", required=True, metavar="COLUMN", help="The column of CONTEXT to predict.")
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
    "--out", type=click.Path(path_type=Path), help="File for the predictions: .csv, .csv.gz, .parquet or .arrow."
)
@click.option("--chunk-rows", type=click.IntRange(min=1), metavar="N", help="Rows in memory at a time.")
@click.option("--quiet", is_flag=True, help="Do not print how the columns were used.")
@service_options
def command(
    *,
    context: Path,
    query: Path | None,
    target: str,
    keys: tuple[str, ...],
    weight: str | None,
    model: str | None,
    version: str | None,
    parameters: tuple[str, ...],
    interval: float | None,
    append: bool,
    as_json: bool,
    out: Path | None,
    chunk_rows: int | None,
    quiet: bool,
    url: str | None,
    api_key: str | None,
    **table: Any,  # noqa: ANN401  (the fields of TableOptions)
) -> None:
    """Predict a column of QUERY from the rows of CONTEXT.

    Without QUERY, the rows of CONTEXT whose target is empty are predicted. Tables are CSV and its relatives, Parquet,
    Arrow, Excel or JSON lines; they are read in chunks and may be larger than memory. The kind of each column
    (number, yes or no, category, time, or left out) is inferred, and printed to the standard error.
    """
    settings, options = Settings.from_environment(), TableOptions(**table)
    numbers = numbers_by_name(parameters)
    predictor = None if model is None or url is not None else _predictor(settings, model)
    needed("pyarrow", "Reading and writing tables")
    with ExitStack() as stack:
        bar = stack.enter_context(progress(PROGRESS_STEPS, "Predicting"))

        def passed(reading: int, part: float) -> None:
            bar.update(max(0, int((min(reading, 2) + part) / 3 * PROGRESS_STEPS) - bar.pos))

        known = WatchedTable(stack.enter_context(options.open(context, settings.max_columns)), passed)
        wanted = None
        if query is not None:
            wanted = WatchedTable(
                stack.enter_context(options.open(query, settings.max_columns)), lambda _, part: passed(2, part)
            )
        check_columns([target, *([weight] if weight else [])], known.columns, known.name)
        check_columns(keys, (wanted or known).columns, (wanted or known).name)
        own_keys = [name for name in keys if wanted is None or name in known.columns]
        requested = options.requested(known, target, keys=own_keys, weight=weight)
        if url is not None:
            if append or as_json or chunk_rows:
                raise InvalidInput(Problem("", "--url takes neither --append, --json nor --chunk-rows."))
            asked = {"keys": keys, "interval": interval, "model": model, "version": version, "parameters": numbers}
            _predict_by_service(url, api_key, (known, wanted), requested._replace(keys=()), out, asked, quiet=quiet)
            return
        summaries = summaries_of(known, requested)
        schema = decide(summaries, requested, known.place)
        predictor = predictor or _predictor(settings, _default_model(settings, schema))
        runtime = model_for(predictor, schema, model, version)
        job = TablePrediction(
            predictor, runtime, schema, known, wanted, weight, keys, whole=append or bool(keys), chunk_rows=chunk_rows
        )
        answers = job.run(numbers, Wanted(interval))
        if as_json:
            _print_json(job, answers)
        else:
            _write(job, answers, out, append=append)
        if not quiet:
            for line in report(job, summaries):
                click.echo(visible(line), err=True)


def _predict_by_service(  # noqa: PLR0917  (what the command has)
    url: str,
    api_key: str | None,
    tables: tuple[Table, Table | None],
    requested: Requested,
    out: Path | None,
    asked: Mapping[str, Any],
    *,
    quiet: bool,
) -> None:
    from service.client import Client  # noqa: PLC0415  (httpx is an extra)
    from service.commands import predict_by_service  # noqa: PLC0415

    with Client(url, api_key=api_key) as client:
        found = predict_by_service.predict(client, *tables, requested, **asked)
    predict_by_service.write(found, requested.target or "", out)
    if not quiet:
        for line in predict_by_service.report(found, tables[0].name):
            click.echo(visible(line), err=True)


def _predictor(settings: Settings, model: str) -> Predictor:
    limits = Limits(settings.max_columns, settings.max_predictions, settings.max_observations)
    return Predictor(Repository.load_one(settings.directories, settings.threads, model), model, limits)


def _default_model(settings: Settings, schema: TableSchema) -> str:
    return CLASSIFIER if schema.task == "classification" else settings.default_model


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
    gaps = {name: summary.missing for name, summary in summaries.items() if name != schema.target.name}
    plain = all(column.kind == "number" and column.decimal == "." for column in (*schema.columns, schema.target))
    for table in (context, *([query] if query else [])):
        yield from (f"{table.name}: {note}." for note in table.notes)
    if not plain or any(gaps.values()):
        yield f"{context.name}: learnt from {job.n_observations} rows, by model {job.runtime.manifest.name}."
        rows = [
            (column.name, f"{column.description}{missing_cells(gaps.get(column.name, 0))}")
            for column in describe_columns(schema, job.weight)
        ]
        yield from aligned(rows)
    if query:
        known = {*context.columns, *job.keys}
        more = [name for name in query.columns if name not in known]
        if more:
            yield f"{query.name}: not used, as {context.name} has no such column: {listed(more)}."
    for table, findings in ((context, job.found), (query or context, job.found_in_queries)):
        yield from (_finding(table, one) for one in findings)


def _finding(table: Table, found: Finding) -> str:
    place = table.place(found.row) if found.row < PLACE_LIMIT else f"row {found.row + 1}"
    cells = "cell" if found.cells == 1 else "cells"
    example = f"such as {found.example[:40]!r} ({place})"
    return f"{table.name}, column {found.column!r}: {found.cells} {cells} {FINDINGS[found.what]}, {example}."
