"""Measure all experiments, write the numbers, and draw them."""

import json
import logging
import time
from pathlib import Path
from typing import Any

from matplotlib import rc_context

from gdssm.provenance import provenance
from gdssm.reproduce import claims
from gdssm.reproduce.catalog import EXPERIMENTS
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.experiments import constructions
from gdssm.reproduce.html import Section, page, svg
from gdssm.reproduce.plot_style import RC

logger = logging.getLogger("gdssm.reproduce")
NUMBERS, PAGE, FIGURES = "report.json", "report.html", "figures"


def measure(context: ExperimentContext) -> dict[str, Any]:
    """Run all experiments and collect the numbers."""
    report: dict[str, Any] = {"settings": context.sizes.name, "provenance": provenance()}
    report["training"] = {name: {**run.provenance(), "seconds": run.seconds} for name, run in context.runs.items()}
    seconds, started = {}, time.perf_counter()
    metrics = claims.measure(context.runs, context.sizes.claim_tasks)
    seconds["claims"] = time.perf_counter() - started
    experiments = {}
    for experiment in EXPERIMENTS:
        started = time.perf_counter()
        experiments[experiment.name] = experiment.measure(context)
        seconds[experiment.name] = time.perf_counter() - started
        logger.info("%s: %.0f s", experiment.name, seconds[experiment.name])
    metrics[claims.CONSTRUCTED] = {claims.DIFFERENCE: constructions.largest(experiments[constructions.EXPERIMENT.name])}
    report |= {"metrics": metrics, "claims": claims.verdicts(metrics)}
    return {**report, "seconds": {name: round(taken, 1) for name, taken in seconds.items()}, "experiments": experiments}


def write_numbers(report: dict[str, Any], directory: Path) -> None:
    """Write report.json."""
    text = json.dumps(report, ensure_ascii=False, allow_nan=False, indent=1)
    (directory / NUMBERS).write_text(text + "\n", encoding="utf-8")


def draw(directory: Path) -> None:
    """Draw report.json as report.html and one SVG a figure; measures nothing."""
    report = json.loads((directory / NUMBERS).read_text(encoding="utf-8"))
    (directory / FIGURES).mkdir(exist_ok=True)
    sections = []
    for experiment in EXPERIMENTS:
        numbers = report["experiments"][experiment.name]
        with rc_context(RC):
            image = svg(experiment.draw(numbers), experiment.name)
        (directory / FIGURES / f"{experiment.name}.svg").write_text(image, encoding="utf-8")
        sections.append(Section(experiment, image, experiment.finding(numbers), experiment.tables(numbers)))
    (directory / PAGE).write_text(page(report, sections), encoding="utf-8")
