"""Measure all experiments, write the numbers, and draw them."""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib import rc_context

from gdssm.provenance import provenance
from gdssm.reproduce import claims
from gdssm.reproduce.catalog import EXPERIMENTS
from gdssm.reproduce.experiment import Experiment
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.html import Section, page, svg
from gdssm.reproduce.plot_style import RC
from gdssm.reproduce.processes import processor_seconds

logger = logging.getLogger("gdssm.reproduce")
NUMBERS, PAGE, FIGURES = "report.json", "report.html", "figures"
PRESETS_PART = "presets"
"""The evaluation of the presets' runs, a part of the report in addition to the experiments."""


def measure(context: ExperimentContext) -> dict[str, Any]:
    """Run all experiments and collect the numbers."""
    report: dict[str, Any] = {"settings": context.sizes.name, "provenance": provenance()}
    report["training"] = {name: {**run.provenance(), "seconds": run.seconds} for name, run in context.runs.items()}
    report |= {"seconds": {}, "processor_seconds": {}, "experiments": {}}
    return _measure(report, context, [PRESETS_PART, *(experiment.name for experiment in EXPERIMENTS)])


def measure_again(report: dict[str, Any], context: ExperimentContext, names: Sequence[str]) -> dict[str, Any]:
    """Replace the numbers of some parts of a report; `remeasured` has their date, machine and commit."""
    report.setdefault("remeasured", {}).update(dict.fromkeys(names, provenance()))
    return _measure(report, context, names)


def _measure(report: dict[str, Any], context: ExperimentContext, names: Sequence[str]) -> dict[str, Any]:
    if PRESETS_PART in names:
        with _clock(report, PRESETS_PART):
            report["metrics"] = claims.measure(context.runs, context.sizes.tasks)
    for experiment in EXPERIMENTS:
        if experiment.name in names:
            with _clock(report, experiment.name):
                report["experiments"][experiment.name] = experiment.measure(context)
    return report


@contextmanager
def _clock(report: dict[str, Any], part: str) -> Iterator[None]:
    """Add the time of a part, and the processor time of all its processes, to the report."""
    started, spent = time.perf_counter(), processor_seconds()
    yield
    seconds = {"seconds": time.perf_counter() - started, "processor_seconds": processor_seconds() - spent}
    for kind, value in seconds.items():
        report[kind][part] = round(value, 1)
    logger.info("%s: %.0f s, %.1f processor minutes", part, seconds["seconds"], seconds["processor_seconds"] / 60)


def _measured(report: dict[str, Any]) -> list[Experiment]:
    """List the experiments that a report has numbers of; one written before an experiment existed lacks it."""
    return [experiment for experiment in EXPERIMENTS if experiment.name in report["experiments"]]


def verdicts(report: dict[str, Any]) -> list[claims.Verdict]:
    """Judge the numbers of a report: the presets' runs, then those of every experiment, by statement."""
    found = claims.of_presets(report["metrics"])
    for experiment in _measured(report):
        found += experiment.claims(report["experiments"][experiment.name])
    order = list(dict.fromkeys((*claims.STATEMENTS, *(verdict.statement for verdict in found))))
    return sorted(found, key=lambda verdict: order.index(verdict.statement))


def write_numbers(report: dict[str, Any], directory: Path) -> None:
    """Write report.json."""
    text = json.dumps(report, ensure_ascii=False, allow_nan=False, indent=1)
    (directory / NUMBERS).write_text(text + "\n", encoding="utf-8")


def read_numbers(directory: Path) -> dict[str, Any]:
    """Read report.json."""
    report: dict[str, Any] = json.loads((directory / NUMBERS).read_text(encoding="utf-8"))
    return report


def draw(directory: Path) -> None:
    """Draw report.json as report.html and one SVG a figure; measures nothing."""
    report = read_numbers(directory)
    (directory / FIGURES).mkdir(exist_ok=True)
    sections = []
    for experiment in _measured(report):
        numbers = report["experiments"][experiment.name]
        with rc_context(RC):
            image = svg(experiment.draw(numbers), experiment.name)
        (directory / FIGURES / f"{experiment.name}.svg").write_text(image, encoding="utf-8")
        sections.append(Section(experiment, image, experiment.finding(numbers), experiment.tables(numbers)))
    (directory / PAGE).write_text(page(report, sections, verdicts(report)), encoding="utf-8")
