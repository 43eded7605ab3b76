"""The report of `gdssm eval`, as JSON and Markdown."""

from collections.abc import Iterator
from itertools import groupby
from typing import Literal

from service.evaluations.request import EvaluationRequest
from service.evaluations.result import IntervalView, ScoreView
from service.inference.artifact import Record
from service.schemas.evaluations import EvaluatedModel

METRICS = {
    "loss": "loss",
    "r2": "R²",
    "coverage_80": "80 % coverage",
    "coverage_90": "90 % coverage",
    "interval_score_90": "90 % interval score",
    "relative_prediction_difference": "prediction difference",
    "sensitivity_cosine": "sensitivity cosine",
}
"""Titles by field of a result."""

NOTE = (
    "In brackets: the 95 % interval over tasks. Coverage and score are of the predictive intervals of models that give "
    "them, the score in standard deviations of y. The last two columns compare with gradient descent of as many steps "
    "with the best rates, and for models that average over all numbers of steps with ridge of the best strength."
)


class Report(Record):
    """A request, the evaluated models, and the results."""

    format: Literal["gdssm-evaluation/1"] = "gdssm-evaluation/1"
    request: EvaluationRequest
    models: tuple[EvaluatedModel, ...]
    results: tuple[ScoreView, ...]

    @property
    def own_results(self) -> list[ScoreView]:
        """The results of the models, without the reference learners."""
        names = {model.name for model in self.models}
        return [result for result in self.results if result.learner in names]


def value_of(result: ScoreView, metric: str) -> IntervalView | None:
    """Get a metric; None if the learner was refused or has none."""
    interval: IntervalView | None = getattr(result, metric)
    return interval


def markdown(report: Report) -> str:
    """Write a table for each distribution; intervals are of 95 % over tasks."""
    request = report.request
    models = ", ".join(f"{model.name} {model.version} ({model.sha256[:12]})" for model in report.models)
    sizes = (
        f"{request.tasks} tasks of each distribution, {request.observations} observations, {request.queries} queries"
    )
    lines = [f"# {request.suite}, seed {request.seed}", "", f"{models}. {sizes} a task. {NOTE}"]
    for distribution, results in groupby(report.results, lambda result: result.distribution):
        lines += ["", f"## {distribution}", "", *_table(list(results))]
    return "\n".join([*lines, ""])


def text(report: Report) -> str:
    """Write the results for a terminal: loss, R² and coverage with their 95 % intervals over tasks."""
    metrics = ("loss", "r2", "coverage_90")
    lines = []
    for distribution, results in groupby(report.results, lambda result: result.distribution):
        rows = [(distribution, *(METRICS[metric] for metric in metrics))]
        for result in results:
            cells = [_written(value_of(result, metric)) for metric in metrics]
            rows.append((result.learner, *([f"does not fit: {result.refused}"] if result.refused else cells)))
        widths = [max(len(row[place]) for row in rows if len(row) > max(2, place)) for place in range(4)]
        lines += [
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows
        ]
    return "\n".join(lines)


def _table(results: list[ScoreView]) -> Iterator[str]:
    yield f"| learner | {' | '.join(METRICS.values())} |"
    yield "| --- " * (1 + len(METRICS)) + "|"
    for result in results:
        cells = [_written(value_of(result, metric)) for metric in METRICS]
        cells = [f"does not fit: {result.refused}", *[""] * (len(cells) - 1)] if result.refused else cells
        yield f"| {result.learner} | {' | '.join(cells)} |"


def _written(interval: IntervalView | None) -> str:
    if interval is None:
        return _number(None)
    return f"{_number(interval.mean)} [{_number(interval.low)}, {_number(interval.high)}]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
