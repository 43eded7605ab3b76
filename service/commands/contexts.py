"""`gdssm contexts`: contexts of files, and those of a service."""

from typing import Any

import click

from service.commands.options import WorkerOptions, by_setting, example, json_option, print_json, worker_options
from service.commands.stored_contexts import COMMANDS
from service.commands.table_options import TableOptions, table_options
from service.settings import Settings
from service.tables.extra import needed

EXAMPLE = "gdssm contexts build houses/ --target price --out context.safetensors --processes 4"


@click.group("contexts", epilog=example(EXAMPLE))
def command() -> None:
    """Make contexts of files, and use those of a service."""


for stored in COMMANDS:
    command.add_command(stored)


@command.command(epilog=example(EXAMPLE))
@click.argument("files", nargs=-1, required=True)
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict later.")
@click.option("--key", "keys", multiple=True, metavar="COLUMN", help="A column that names the rows; repeatable.")
@click.option("--weight", metavar="COLUMN", help="The column with the weights of observations.")
@table_options
@click.option("--model", metavar="NAME", help=f"{by_setting('default_model')} For classes classifier.")
@click.option("--version", metavar="VERSION", help="Version of the model; the highest if left out.")
@click.option("--decay", metavar="NUMBER", help="The share of an observation's weight after one more, or auto.")
@click.option("--out", required=True, metavar="FILE", help="The file of the context; a path or a URI.")
@worker_options
@click.option("--chunk-rows", type=click.IntRange(min=1), metavar="N", help="Rows in memory at a time.")
@click.option("--quiet", is_flag=True, help="Do not print how the columns were used.")
@json_option
def build(
    *,
    files: tuple[str, ...],
    target: str,
    keys: tuple[str, ...],
    weight: str | None,
    model: str | None,
    version: str | None,
    decay: str | None,
    out: str,
    processes: int | None,
    ray: str | None,
    chunk_rows: int | None,
    quiet: bool,
    as_json: bool,
    **table: Any,  # noqa: ANN401  (the fields of TableOptions)
) -> None:
    """Learn the rows of FILES into a context that a service imports.

    FILES are paths, directories, globs and URIs (file, s3, gs) of Parquet, CSV and the other formats of `gdssm
    predict`, together of any size. A run that was interrupted continues when it is started again.
    """
    needed("pyarrow", "Reading tables")
    from service.commands.dataset_options import context_report, decay_of, opened_run, reading_of, show  # noqa: PLC0415
    from service.datasets.building import Learning, build_context  # noqa: PLC0415
    from service.datasets.files import check_not_overwritten, find_files  # noqa: PLC0415
    from service.datasets.outputs import destination, open_whole  # noqa: PLC0415
    from service.datasets.pieces_table import Dataset  # noqa: PLC0415

    settings, options, learning = (
        Settings.from_environment(),
        TableOptions(**table),
        Learning(model, version, decay_of(decay), chunk_rows),
    )
    found, to = find_files(files), destination(out).as_file()
    check_not_overwritten(found, [to.location])
    reading = reading_of(options, settings.max_columns)
    names, workers = [target, keys, weight], WorkerOptions(processes, ray)
    with opened_run(to, workers, found, reading=reading, learning=learning, table=options, names=names) as run:
        dataset = Dataset.of(found, reading)
        requested = options.requested(dataset.table(), target, keys=keys, weight=weight)
        built = build_context(run, dataset, requested, learning, settings)
        with open_whole(to.location, to.scratch) as file:
            file.write(built.file())
    if not quiet:
        show(context_report(built, weight))
    if as_json:
        print_json({"file": out, "model": built.runtime.manifest.name, "n_observations": built.state.n_observations})
