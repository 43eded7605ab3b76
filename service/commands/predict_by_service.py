"""`gdssm predict --url`: a service predicts the table that is read here."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gdssm_client import Client
from gdssm_client.answers import TablePredictionResult
from gdssm_client.cells import Cells
from gdssm_client.table_body import json_values
from service.commands.table_options import aligned
from service.tables.cells import Table
from service.tables.requested import Requested


def predict(
    client: Client,
    known: Table,
    wanted: Table | None,
    requested: Requested,
    **options: Any,  # noqa: ANN401
) -> TablePredictionResult:
    """Send tables to a service.

    Args:
        client: Of the service.
        known: The rows to learn from.
        wanted: The rows to predict; None for those of `known` without a target.
        requested: What the caller says of the table.
        **options: Further arguments of `Client.predict_table`.

    Raises:
        ClientError: The service cannot be reached, or refuses the table.
    """
    return client.predict_table(
        columns_of(known),
        None if wanted is None else columns_of(wanted),
        target=requested.target or "",
        features=requested.columns,
        ignore=requested.ignore,
        weight=requested.weight,
        kinds=requested.kinds,
        task=requested.task,
        decimal=requested.decimal,
        **options,
    )


def columns_of(table: Table) -> dict[str, list[object]]:
    """Read a whole table as values of JSON by column; None where a cell is missing."""
    columns: dict[str, list[object]] = {name: [] for name in table.columns}
    for chunk in table.chunks(table.columns):
        for name, values in columns.items():
            values.extend(json_values(Cells(*chunk.cells[name])))
    return columns


def write(found: TablePredictionResult, target: str, out: Path | None) -> None:
    """Write keys, predictions, bounds, and the probabilities of classes.

    Raises:
        InvalidInput: The file cannot be written.
    """
    import pyarrow as pa  # noqa: PLC0415  (an extra)

    from service.tables.writing import open_output  # noqa: PLC0415

    columns: dict[str, Sequence[Any]] = {**found.keys, target: found.prediction}
    if found.lower is not None:
        columns |= {f"{target}_lower": found.lower, f"{target}_upper": found.upper}
    for place, level in enumerate(found.classes):
        columns[f"{target}={level}"] = [row[place] for row in found.probabilities]
    with open_output(out) as writer:
        writer.write(pa.record_batch(list(map(pa.array, columns.values())), list(columns)))


def report(found: TablePredictionResult, name: str) -> Iterator[str]:
    """Say how the columns of a table were used, and which cells could not be used."""
    yield f"{name}: learnt from {found.n_observations} rows, by model {found.model}."
    yield from aligned([(column.name, column.description) for column in found.columns])
    for one in found.findings:
        yield f"column {one.column!r}: {one.cells} cells {one.what}, such as {one.example[:40]!r} ({one.place})."
