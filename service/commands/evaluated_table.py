"""A table for `gdssm eval`: its rows as numbers, and models compared with other methods in the unit of the target."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from service.commands.table_options import TableOptions
from service.errors import InvalidInput, Problem
from service.evaluations.request import ROWS_LIMIT
from service.inference.checks import Limits
from service.inference.predictor import Predictor
from service.inference.sizes import Array
from service.registry.repository import Repository
from service.settings import Settings
from service.tables.assessing import LEAST_ROWS, Assessment, MethodScore, assess
from service.tables.encoding import Findings, check_columns, observations
from service.tables.predicting import infer_schema, model_for
from service.tables.schema import TableSchema


class EvaluatedTable(NamedTuple):
    """Rows with a target."""

    schema: TableSchema
    x: Array
    """(N, D), without gaps: a missing number is the mean of its column, with a separate indicator column."""
    y: Array
    """(N,), or (N, K) for classes."""


def read_table(path: Path, target: str, options: TableOptions) -> EvaluatedTable:
    """Read a table as numbers.

    Raises:
        InvalidInput: It cannot be read, has too many rows, or too few with a target.
    """
    with options.open(path, Settings.from_environment().max_columns) as table:
        check_columns([target], table.columns, table.name)
        schema = infer_schema(table, options.requested(table, target))
        parts, rows = [], 0
        columns = [*schema.feature_names, target]
        for chunk in table.chunks(columns, text=schema.text_columns):
            part = observations(schema, chunk, Findings())
            rows += len(part.x)
            if rows > ROWS_LIMIT:
                raise InvalidInput(Problem(f"--data {path}", f"has more than {ROWS_LIMIT} rows with a target."))
            parts.append(part)
    if rows < 2:
        raise InvalidInput(Problem(f"--data {path}", f"has {rows} rows with a target. It needs at least two."))
    x, y = np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts])
    gaps = np.isnan(x)
    with_gaps = gaps.any(0)
    if with_gaps.any():
        x = np.hstack([np.where(gaps, np.nanmean(x, 0), x), gaps[:, with_gaps]])
    return EvaluatedTable(schema, x, y)


def assessments(path: Path, options: TableOptions, schema: TableSchema, models: Sequence[str]) -> list[Assessment]:
    """Compare models with other methods by cross-validation; empty if the table has too few rows."""
    settings, found = Settings.from_environment(), list[Assessment]()
    limits = Limits(settings.max_columns, settings.max_predictions, settings.max_observations)
    for model in models:
        repository = Repository.load_one(settings.directories, settings.threads, model)
        predictor = Predictor(repository, model, limits)
        runtime = model_for(predictor, schema, model)
        with options.open(path, settings.max_columns) as table:
            try:
                found.append(assess(table, schema, predictor, runtime))
            except InvalidInput:
                return []
    return found


def assessment_lines(assessed: Sequence[Assessment], schema: TableSchema) -> Iterator[str]:
    """Write assessments for a terminal."""
    if not assessed:
        yield f"No comparison by cross-validation: this needs {LEAST_ROWS} rows with a target."
    for found in assessed:
        yield from _lines(found, schema)


def assessment_fields(found: Assessment) -> dict[str, object]:
    """Write an assessment as a value of JSON, without the rows."""
    return {"rows": found.rows, "folds": found.folds, "sentence": found.sentence, "scores": found.scores}


def _lines(found: Assessment, schema: TableSchema) -> Iterator[str]:
    yield f"{found.rows} rows, predicted in {found.folds} parts, each from the others:"
    titles = ("right", "log loss") if schema.classes else ("MAE", "half within", "R²", "in 90 % interval")
    rows = [(schema.target.name, *titles), *(_row(score) for score in found.scores)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        yield "  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
    yield from (f"  {method}: {reason}" for method, reason in found.not_measured.items())
    yield found.sentence


def _row(score: MethodScore) -> tuple[str, ...]:
    if score.accuracy is not None:
        return score.method, f"{score.accuracy:.0%}", _number(score.log_loss)
    coverage = "–" if score.coverage is None else f"{score.coverage:.0%}"
    return score.method, _number(score.mae), f"±{_number(score.median_error)}", _number(score.r2), coverage


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
