"""`gdssm predict`: predict a column of a file, in chunks."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import click

from service.commands.options import by_setting, example, numbers_by_name, progress
from service.files.column_file import open_column
from service.files.prediction_job import open_job
from service.inference.checks import Limits
from service.inference.distribution import Wanted
from service.inference.predictor import Predictor
from service.registry.repository import Repository
from service.settings import Settings
from service.tables.streaming import predictions

Chunk = TypeVar("Chunk")
PROGRESS_STEPS = 1000


@click.command("predict", epilog=example("gdssm predict observed.csv wanted.csv --target price --out predicted.csv"))
@click.argument("context", type=click.Path(path_type=Path))
@click.argument("query", type=click.Path(path_type=Path))
@click.option("--target", required=True, metavar="COLUMN", help="The column of CONTEXT to predict.")
@click.option("--weight", metavar="COLUMN", help="The column of CONTEXT with the weights of observations.")
@click.option("--model", metavar="NAME", help=by_setting("default_model"))
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

    Files are CSV with a header, or Parquet if their suffix is .parquet. They are read in chunks and may be larger than
    memory (for models that stream, CONTEXT too). The first chunk of more than 32 rows fixes the scale of the features
    of nonlinear. Cells of features may be empty for models that accept missing cells, such as linear and nonlinear; the
    target must not be empty in CONTEXT.
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
        ) as job,
        open_column(out, *columns) as column,
        progress(PROGRESS_STEPS, "Predicting") as bar,
    ):

        def with_progress(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
            for chunk in chunks:
                yield chunk
                bar.update(int(job.progress * PROGRESS_STEPS) - bar.pos)

        observations, queries, wanted = (
            with_progress(job.observations()),
            with_progress(job.queries()),
            Wanted(interval),
        )
        for answer in predictions(predictor, runtime, observations, queries, numbers, wanted=wanted):
            found = (answer.prediction, answer.lower, answer.upper)
            column.write(*(values for values in found if values is not None))
