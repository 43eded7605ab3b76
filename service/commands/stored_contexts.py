"""`gdssm contexts observe, list, show, delete, export, import`: the contexts of a service."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic_core import to_json

from service.commands.options import (
    example,
    json_option,
    new_context_options,
    print_json,
    progress,
    service_options,
)
from service.commands.table_options import TableOptions, WatchedTable, table_options
from service.errors import InvalidInput, Problem
from service.settings import Settings
from service.tables.encoding import check_columns
from service.tables.extra import needed
from service.tables.predicting import infer_schema
from service.visible import visible

if TYPE_CHECKING:
    from gdssm_client import Client
    from gdssm_client.contexts import Context

ID = re.compile(r"[0-9a-f]{32}")
PROGRESS_STEPS = 1000
PAGE = 1000
"""Contexts of one request."""
URL = "http://127.0.0.1:8000"
CONTEXT = click.argument("context", metavar="CONTEXT")


def _client(url: str | None, api_key: str | None) -> "Client":
    from gdssm_client import Client  # noqa: PLC0415  (httpx is an extra)

    if url is None:
        raise InvalidInput(Problem("--url", f"is missing: contexts are those of a service, such as {URL}."))
    return Client(url, api_key=api_key)


def _find(client: "Client", context: str) -> "Context":
    return client.contexts.get(context) if ID.fullmatch(context) else client.contexts.find(context)


@click.command(
    "observe", epilog=example(f"gdssm contexts observe readings.parquet --by device --target power --url {URL}")
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--by", required=True, metavar="COLUMN", help="The column whose value is the name of the context.")
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict later.")
@click.option("--weight", metavar="COLUMN", help="The column with the weights of rows.")
@table_options
@new_context_options
@click.option(
    "--allow-precision-loss", is_flag=True, help="Learn values so far out that digits of earlier ones are lost."
)
@click.option(
    "--chunk-rows", type=click.IntRange(1, 10_000), default=5000, show_default=True, help="Rows of a request."
)
@click.option("--quiet", is_flag=True, help="Do not print refused rows and cells.")
@service_options
@json_option
def observe(
    *,
    file: Path,
    by: str,
    target: str,
    weight: str | None,
    model: str | None,
    version: str | None,
    decay: Any,  # noqa: ANN401  (Decay)
    ttl: int | None,
    allow_precision_loss: bool,
    chunk_rows: int,
    quiet: bool,
    url: str | None,
    api_key: str | None,
    as_json: bool,
    **table: Any,  # noqa: ANN401  (the fields of TableOptions)
) -> None:
    """Let the contexts that a column of FILE names learn its rows.

    Contexts are found by their names, or created. A run that was interrupted may be started again within a day: rows
    are sent with Idempotency-Keys made of the file and their numbers, so that none is learnt twice. All features are
    numbers; for others see `gdssm ingest`.
    """
    needed("pyarrow", "Reading tables")
    client, options = _client(url, api_key), TableOptions(**table)
    from service.commands.observe_by_service import TableObserver, check_kinds, digest_of  # noqa: PLC0415  (httpx)

    create = {"model": model, "version": version, "decay": decay, "ttl": ttl}
    run = digest_of(file, by, target, weight, create, allow_precision_loss, chunk_rows, options)
    with client, progress(PROGRESS_STEPS, "Observing") as bar:

        def passed(reading: int, part: float) -> None:
            bar.update(max(0, int((min(reading, 1) + part) / 2 * PROGRESS_STEPS) - bar.pos))

        with options.open(file, Settings.from_environment().max_columns) as opened:
            watched = WatchedTable(opened, passed)
            check_columns([by, target, *([weight] if weight else [])], watched.columns, watched.name)
            requested = options.requested(watched, target, keys=[by], weight=weight)._replace(keep_constant=True)
            schema = infer_schema(watched, requested)
            check_kinds(schema)
            observer = TableObserver(
                client,
                schema,
                by,
                weight=weight,
                create={name: value for name, value in create.items() if value is not None},
                run=run,
                allow_precision_loss=allow_precision_loss,
            )
            summary = observer.send(watched, chunk_rows)
    if as_json:
        print_json({"rows": summary.rows, "refused": summary.refused, "contexts": sorted(summary.contexts)})
    else:
        click.echo(f"Learnt {summary.rows} rows in {len(summary.contexts)} contexts, refused {summary.refused}.")
    if not quiet:
        for line in summary.lines():
            click.echo(visible(line), err=True)


@click.command("list", epilog=example(f"gdssm contexts list --label site:berlin --url {URL}"))
@click.option("--label", "labels", multiple=True, metavar="KEY:VALUE", help="Only contexts with it; repeatable.")
@service_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each context, a line.")
def list_(labels: tuple[str, ...], url: str | None, api_key: str | None, as_json: bool) -> None:
    """List contexts: id, model, number of observations and name."""
    wanted = dict(_label(text) for text in labels)
    with _client(url, api_key) as client:
        after, more = None, True
        while more:
            page = client.contexts.list(limit=PAGE, after=after, labels=wanted or None)
            for context in page.items:
                if as_json:
                    print_json(context.record)
                else:
                    click.echo(_line(context))
            after, more = page.after, page.after is not None


@click.command("show", epilog=example(f"gdssm contexts show 'pump 1' --url {URL}"))
@CONTEXT
@service_options
@click.option("--json", "as_json", is_flag=True, help="Print the JSON object on one line.")
def show(context: str, url: str | None, api_key: str | None, as_json: bool) -> None:
    """Print the context of an id or a name as JSON."""
    with _client(url, api_key) as client:
        record = _find(client, context).record
    if as_json:
        print_json(record)
    else:
        click.echo(to_json(record, indent=2))


@click.command("delete", epilog=example(f"gdssm contexts delete 'pump 1' --url {URL}"))
@CONTEXT
@service_options
@json_option
def delete(context: str, url: str | None, api_key: str | None, as_json: bool) -> None:
    """Delete the context of an id or a name."""
    with _client(url, api_key) as client:
        found = _find(client, context)
        found.delete()
    if as_json:
        print_json({"deleted": found.id})
    click.echo(f"Deleted {found.id}.", err=True)


@click.command("export", epilog=example(f"gdssm contexts export 'pump 1' --out pump.safetensors --url {URL}"))
@CONTEXT
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="The standard output if left out.")
@service_options
def export(context: str, out: Path | None, url: str | None, api_key: str | None) -> None:
    """Export the context of an id or a name as a file that `import` reads."""
    with _client(url, api_key) as client:
        content = _find(client, context).export()
    try:
        if out is None:
            sys.stdout.buffer.write(content)
        else:
            out.write_bytes(content)
    except OSError as error:
        raise InvalidInput(Problem("--out", f"cannot be written ({error.strerror}).")) from error


@click.command("import", epilog=example(f"gdssm contexts import pump.safetensors --name 'pump 2' --url {URL}"))
@click.argument("file", type=click.File("rb"))
@click.option("--name", metavar="NAME", help="The name of the new context.")
@service_options
@json_option
def import_(
    file: Any,  # noqa: ANN401  (binary)
    name: str | None,
    url: str | None,
    api_key: str | None,
    as_json: bool,
) -> None:
    """Create a context from a file of `export` or `build`, and print its id."""
    with _client(url, api_key) as client:
        context = client.contexts.load(file.read())
        if name is not None:
            context.amend(name=name)
    if as_json:
        print_json(context.record)
    else:
        click.echo(context.id)


def _line(context: "Context") -> str:
    record = context.record
    model = f"{record.model.name} {record.model.version}"
    return visible(f"{record.id}  {model:20}  {record.n_observations:>10}  {record.name or ''}".rstrip())


def _label(text: str) -> tuple[str, str]:
    key, colon, value = text.partition(":")
    if not colon:
        raise InvalidInput(Problem("--label", f"must be KEY:VALUE, such as site:berlin; this is {text[:40]!r}."))
    return key, value


COMMANDS = (observe, list_, show, delete, export, import_)
