"""`gdssm predict`: two files in, a column out, in chunks."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import click

from service.commands.options import by_setting, example, numbers_by_name, progress
from service.distribution import Wanted
from service.files.column_file import open_column
from service.files.prediction_job import open_job
from service.files.streaming import predictions
from service.predictor import Limits, Predictor
from service.registry.repository import Repository
from service.settings import Settings

Chunk = TypeVar("Chunk")
STEPS = 1000
"""Of the progress bar."""


@click.command("predict", epilog=example("gdssm predict observed.csv wanted.csv --target price --out predicted.csv"))
@click.argument("context", type=click.Path(path_type=Path))
@click.argument("query", type=click.Path(path_type=Path))
@click.option("--target", required=True, metavar="COLUMN", help="The column of CONTEXT to predict.")
@click.option("--weight", metavar="COLUMN", help="The column of CONTEXT that says how much each observation counts.")
@click.option("--model", metavar="NAME", help=by_setting("default_model"))
@click.option("--version", metavar="VERSION", help="Of the model; the highest if left out.")
@click.option(
    "--parameter", "parameters", multiple=True, metavar="NAME=NUMBER", help="As learning_rate=0.1; repeatable."
)
@click.option(
    "--interval",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="P",
    help="Write the bounds between which the target lies with this probability too, as COLUMN_lower and COLUMN_upper.",
)
@click.option("--out", type=click.Path(path_type=Path), help="File for the predictions; stdout if left out.")
@click.option("--chunk-rows", type=click.IntRange(min=1), metavar="N", help="Rows in memory at a time.")
def command(
    *,
    context: Path,
    query: Path,
    target: str,
    weight: str | None,
    model: str | None,
    version: str | None,
    parameters: tuple[str, ...],
    interval: float | None,
    out: Path | None,
    chunk_rows: int | None,
) -> None:
    """Predict a column of QUERY from the observations in CONTEXT.

    Files are CSV with a header or, by their suffix .parquet, Parquet. They are read in chunks, so that they may be
    larger than memory (the context too, of every model that streams). Of nonlinear the first chunk of more than 32 rows
    fixes the scale of the features. Cells of features may be empty, for models that take missing cells, as linear and
    nonlinear do; the target is never missing in CONTEXT.
    """
    settings = Settings.from_environment()
    numbers = numbers_by_name(parameters)
    limits = Limits(settings.max_columns, settings.max_predictions, settings.max_observations)
    repository = Repository.load_one(settings.directories, settings.threads, model or settings.default_model)
    predictor = Predictor(repository, settings.default_model, limits)
    runtime = predictor.runtime(model, version)
    columns = [target] if interval is None else [target, f"{target}_lower", f"{target}_upper"]
    with (
        open_job(
            context, query, target, weight, chunk_rows, model=runtime.manifest, max_columns=limits.max_columns
        ) as task,
        open_column(out, *columns) as column,
        progress(STEPS, "Predicting") as bar,
    ):

        def shown(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
            for chunk in chunks:
                yield chunk
                bar.update(int(task.progress * STEPS) - bar.pos)

        contexts, queries, wanted = shown(task.contexts()), shown(task.queries()), Wanted(interval)
        for answer in predictions(predictor, runtime, contexts, queries, numbers, wanted=wanted):
            found = (answer.prediction, answer.lower, answer.upper)
            column.write(*(values for values in found if values is not None))
