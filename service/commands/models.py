"""`gdssm models`: the served models, as a table."""

from dataclasses import asdict

import click

from service.commands.options import example, json_option, print_json, service_options
from service.visible import visible

HEADER = ("name", "version", "task", "origin", "x", "y", "steps", "summary")


@click.command("models", epilog=example("gdssm models --url http://127.0.0.1:8000"))
@service_options
@json_option
def command(url: str | None, api_key: str | None, as_json: bool) -> None:
    """List the models of a service, or the shipped ones."""
    from gdssm_client import Client  # noqa: PLC0415  (httpx is an extra)

    with Client(url, api_key=api_key) as client:
        found = client.models()
    if as_json:
        print_json(asdict(found))
        return
    rows = [
        (
            f"{model.name} *" if model.name == found.default else model.name,
            *(model.version, model.task, model.origin),
            *(str(columns) for columns in (model.dims["D"], model.dims["K"])),
            *(str(model.gradient_steps), visible(model.summary)),
        )
        for model in found.models
    ]
    widths = [max(map(len, column)) for column in zip(HEADER, *rows, strict=True)]
    for row in (HEADER, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    click.echo("* default model; x and y: numbers of columns", err=True)
