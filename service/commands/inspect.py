"""`gdssm inspect`: what becomes of each column of a table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from service.commands.options import example, print_json
from service.commands.table_options import TableOptions, aligned, missing_cells, table_options
from service.settings import Settings
from service.tables.cells import Table
from service.tables.describing import Inspection, inspect_table
from service.tables.encoding import check_columns
from service.visible import visible

SHOWN = 60
"""Characters of the examples of a column."""


@click.command("inspect", epilog=example("gdssm inspect houses.csv --target price"))
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--target", metavar="COLUMN", help="The column to predict.")
@click.option("--weight", metavar="COLUMN", help="The column with the weights of observations.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, as POST /v1/inspect answers.")
@table_options
def command(
    *,
    file: Path,
    target: str | None,
    weight: str | None,
    as_json: bool,
    **table: Any,  # noqa: ANN401  (the fields of TableOptions)
) -> None:
    """Print how FILE is read, and how `gdssm predict` uses each column.

    With a target, the columns are judged by the rows that have one.
    """
    settings, options = Settings.from_environment(), TableOptions(**table)
    with options.open(file, settings.max_columns) as source:
        check_columns([name for name in (target, weight) if name is not None], source.columns, source.name)
        found = inspect_table(source, options.requested(source, target, weight=weight))
        if as_json:
            fields: dict[str, object] = {"columns": [column._asdict() for column in found.columns], "rows": found.rows}
            fields |= {"read": source.notes} if source.notes else {}
            fields |= {"schema": found.schema.as_json()} if found.schema else {}
            print_json(fields)
        else:
            for line in _lines(source, found, target):
                click.echo(visible(line))


def _lines(table: Table, found: Inspection, target: str | None) -> Iterator[str]:
    form = getattr(table, "form", "")
    rows = f"{found.rows} rows" if target is None else f"{found.rows} rows with a value in {target!r}"
    yield f"{table.name}: {f'{form}; ' if form else ''}{rows}."
    yield from (f"{table.name}: {note}." for note in table.notes)
    described = []
    for column in found.columns:
        examples = ", ".join(column.examples)[:SHOWN]
        text = f"{column.description}{missing_cells(column.missing)}"
        described.append((column.name, f"{text} ({examples})" if examples and column.kind != "category" else text))
    yield from aligned(described)
