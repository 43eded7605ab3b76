"""`gdssm contexts observe`: rows of a table, each for the context that one of its columns names."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gdssm_client import Client
from gdssm_client.call import JSON_TYPE, Call, json_body
from service.commands.table_options import finding_line
from service.errors import InvalidInput, Problem
from service.inference.sizes import Array
from service.tables.cells import Table, as_text
from service.tables.encoding import Findings, observations
from service.tables.schema import WORDS_OF_KIND, TableSchema

ROWS_AT_ONCE = 5000
"""Rows of one request."""
OBSERVATIONS = "/v1/observations"
REFUSED = {"invalid_input", "numeric_overflow", "precision_loss", "unsupported_by_model"}
"""Types of errors of rows; after any other the command ends, and may be run again."""
SHOWN = 20
"""Refused rows that are printed."""


class Part(NamedTuple):
    """N rows of one request."""

    names: list[str]
    """Of their contexts."""
    places: list[int]
    """Their numbers in the table, from 0."""
    x: Array
    y: Array
    weight: Array | None


@dataclass
class Summary:
    """The result of a run."""

    rows: int = 0
    """Rows that contexts have learnt, in this run or in an earlier one."""
    refused: int = 0
    without_name: int = 0
    contexts: set[str] = field(default_factory=set)
    """Ids."""
    shown: list[str] = field(default_factory=list)
    """Refused rows, for people."""
    found: Findings = field(default_factory=Findings)

    def lines(self) -> Iterator[str]:
        """Say which rows and cells were not learnt."""
        yield from self.shown
        if self.refused > len(self.shown):
            yield f"And {self.refused - len(self.shown)} more rows."
        if self.without_name:
            yield f"{self.without_name} rows without the name of a context, not used."
        for found in self.found:
            yield finding_line(found, f"row {found.row + 1}")


def check_kinds(schema: TableSchema) -> None:
    """See that all columns are numbers.

    Raises:
        InvalidInput: One is not.
    """
    others = [column for column in schema.features if column.kind not in {"number", "yes_no"}]
    problems = [
        Problem(
            f"column {column.name!r}",
            f"has {WORDS_OF_KIND[column.kind]}; batches take numbers. Use --ignore, or `gdssm ingest --kind`.",
        )
        for column in others
    ]
    if schema.task != "regression":
        problems.append(
            Problem("--target", "has classes; batches take numbers. Use `gdssm ingest --task classification`.")
        )
    if problems:
        raise InvalidInput(*problems)


def digest_of(path: Path, *options: object) -> str:
    """Hash a file and options: the same rows have the same Idempotency-Keys in each run.

    Raises:
        InvalidInput: It is a pipe or a device.
    """
    if not path.is_file():
        raise InvalidInput(Problem(str(path), "is a pipe or a device, which is read once. Name a file."))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(repr(options).encode())
    return digest.hexdigest()[:32]


class TableObserver:
    """Sends the rows of a table.

    Args:
        client: Of the service.
        schema: Of the table; all columns are numbers.
        by: The column that names the context.
        weight: The column of weights.
        create: The settings of contexts that are created.
        run: Of Idempotency-Keys; see `digest_of`.
        allow_precision_loss: As for `Context.observe`.
    """

    def __init__(
        self,
        client: Client,
        schema: TableSchema,
        by: str,
        *,
        weight: str | None,
        create: Mapping[str, object],
        run: str,
        allow_precision_loss: bool = False,
    ) -> None:
        self._session = client._session  # noqa: SLF001  (the batch of a table has no public method)
        self._schema = schema
        self._by = by
        self._weight = weight
        self._names = {"x": [*schema.x_columns], "y": [schema.target.name]}
        self._create = {**create, "columns": self._names}
        self._run = run
        self._allow = allow_precision_loss
        self.summary = Summary()

    def send(self, table: Table, rows: int = ROWS_AT_ONCE) -> Summary:
        """Send all rows, in requests of at most some.

        Raises:
            ClientError: The service cannot be reached, or refuses more than rows; a further run learns none twice.
        """
        for part in self._parts(table, rows):
            refused = self._send_part(part)
            if refused:
                self._send_singly(part, refused)
        return self.summary

    def _parts(self, table: Table, rows: int) -> Iterator[Part]:
        columns = [*self._schema.feature_names, self._schema.target.name, self._by]
        columns += [] if self._weight is None else [self._weight]
        for whole in table.chunks(columns, text=[*self._schema.text_columns, self._by]):
            for chunk in whole.parts(rows):
                cells = as_text(chunk.cells[self._by])
                named = chunk.select(~cells.missing())
                self.summary.without_name += chunk.rows - named.rows
                found = observations(self._schema, named, self.summary.found, self._weight, table.place)
                if not len(found.x):
                    continue
                kept = found.places - named.start
                numbers, codes = named.numbers()[kept], as_text(named.cells[self._by]).values[kept]
                names = [cells.texts[code] for code in codes.tolist()]
                yield Part(names, numbers.tolist(), found.x, found.y, found.weight)

    def _send_part(self, part: Part) -> list[int]:
        """Send rows as columns; returns those whose context refuses its rows."""
        body = json_body(
            names=part.names,
            x=_rows(part.x),
            y=part.y.tolist(),
            weight=None if part.weight is None else part.weight.tolist(),
            columns=self._names,
            create=self._create,
            allow_precision_loss=self._allow,
        )
        results = self._results(body, part.places[0], "rows")
        refused = list[int]()
        for result in results:
            if self._is_learnt(result):
                self.summary.rows += len(result["rows"])
            else:
                refused += result["rows"]
        return sorted(refused)

    def _send_singly(self, part: Part, rows: Sequence[int]) -> None:
        """Send rows as an item each."""
        items = [
            {
                "name": part.names[row],
                "x": _rows(part.x[row : row + 1]),
                "y": [part.y[row].item()],
                "weight": None if part.weight is None else [part.weight[row].item()],
                "columns": self._names,
                "allow_precision_loss": self._allow,
            }
            for row in rows
        ]
        body = json_body(
            items=[{k: v for k, v in item.items() if v is not None} for item in items], create=self._create
        )
        for row, result in zip(rows, self._results(body, part.places[0], "items"), strict=True):
            if self._is_learnt(result):
                self.summary.rows += 1
            else:
                self.summary.refused += 1
                if len(self.summary.shown) < SHOWN:
                    self.summary.shown.append(f"row {part.places[row] + 1} ({part.names[row]}): {result['error']}")

    def _results(self, body: bytes, first: int, form: str) -> list[dict[str, Any]]:
        """Send a body. JSON has the same bytes in every run; the metadata of safetensors have no order."""
        headers = {**JSON_TYPE, "Idempotency-Key": f"{self._run} {form} {first}"}
        found: list[dict[str, Any]] = self._session.send(
            Call("POST", OBSERVATIONS, lambda response: response.json()["results"], body, headers)
        )
        return found

    def _is_learnt(self, result: Mapping[str, Any]) -> bool:
        """Return whether an item was learnt rather than refused.

        Raises:
            InvalidInput: It failed for another reason.
        """
        if "error" not in result:
            self.summary.contexts.add(result["context"])
            return True
        if result["error_type"] not in REFUSED:
            text = f"{result['error']} Run the command again: rows that were learnt are not learnt twice."
            raise InvalidInput(Problem("", text))
        return False


def _rows(x: Array) -> list[list[float | None]]:
    """Write rows as JSON has them: null where a cell is missing."""
    if not np.isnan(x).any():
        found: list[list[float | None]] = x.tolist()
        return found
    return [[None if np.isnan(cell) else cell for cell in row] for row in x.tolist()]
