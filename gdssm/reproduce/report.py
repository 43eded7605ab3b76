"""Measure all experiments, write the numbers, and draw them."""

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context

from gdssm.provenance import provenance
from gdssm.reproduce import claims
from gdssm.reproduce.catalog import EXPERIMENTS
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.experiments.constructions import largest
from gdssm.reproduce.html import Section, page, svg
from gdssm.reproduce.plot_style import RC

logger = logging.getLogger("gdssm.reproduce")
NUMBERS, PAGE, FIGURES = "report.json", "report.html", "figures"


def measure(context: ExperimentContext) -> dict[str, Any]:
    """Run all experiments and collect the numbers."""
    report: dict[str, Any] = {"settings": context.sizes.name, "provenance": provenance()}
    report["training"] = {name: {**run.provenance(), "seconds": run.seconds} for name, run in context.runs.items()}
    started = time.perf_counter()
    metrics = claims.measure(context.runs, context.sizes.claim_tasks)
    seconds = time.perf_counter() - started
    report |= {"metrics": metrics, "claims": [], "seconds": {"claims": round(seconds, 1)}, "experiments": {}}
    return _measure(report, context, [experiment.name for experiment in EXPERIMENTS])


def measure_again(report: dict[str, Any], context: ExperimentContext, names: Sequence[str]) -> dict[str, Any]:
    """Replace the numbers of some experiments of a report; `remeasured` has their date, machine and commit."""
    report.setdefault("remeasured", {}).update(dict.fromkeys(names, provenance()))
    return _measure(report, context, names)


def _measure(report: dict[str, Any], context: ExperimentContext, names: Sequence[str]) -> dict[str, Any]:
    for experiment in EXPERIMENTS:
        if experiment.name in names:
            started = time.perf_counter()
            report["experiments"][experiment.name] = experiment.measure(context)
            report["seconds"][experiment.name] = round(time.perf_counter() - started, 1)
            logger.info("%s: %.0f s", experiment.name, report["seconds"][experiment.name])
    constructed = largest(report["experiments"]["constructions"])
    report["metrics"][claims.CONSTRUCTED] = {claims.DIFFERENCE: constructed}
    report["claims"] = claims.verdicts(report["metrics"])
    return report


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
    for experiment in EXPERIMENTS:
        numbers = report["experiments"][experiment.name]
        with rc_context(RC):
            image = svg(experiment.draw(numbers), experiment.name)
        (directory / FIGURES / f"{experiment.name}.svg").write_text(image, encoding="utf-8")
        sections.append(Section(experiment, image, experiment.finding(numbers), experiment.tables(numbers)))
    (directory / PAGE).write_text(page(report, sections), encoding="utf-8")
