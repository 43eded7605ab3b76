"""Every formulation trained from random weights, from several seeds."""

from collections import defaultdict
from dataclasses import asdict
from typing import Any

from matplotlib.figure import Figure

from gdssm.parameter_alignment import rates_difference
from gdssm.reproduce import formulations
from gdssm.reproduce.claims import (
    CROSS_ENTROPY,
    FEATURES,
    GATING,
    LOCAL_ATTENTION,
    MINI_BATCH,
    PARAMETERS,
    STEPS,
    TOKENS,
    Verdict,
    best_rates,
    not_inferior,
)
from gdssm.reproduce.drawing import figure
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import EVALUATION, TUNING, ExperimentContext, draw_tasks
from gdssm.reproduce.formulations import FORMULATIONS
from gdssm.reproduce.loss_ratio import MARGIN, LossRatio
from gdssm.reproduce.plot_style import BLUES, ORANGES, SOFT
from gdssm.reproduce.processes import run_all
from gdssm.stack import GDSSM

TITLE = "From random weights, from every seed"
SETUP = (
    "Every formulation of the layer as a small model (five inputs, N = 10; three mini-batches of five; sines with one "
    "input), trained from random weights and compared on the same tasks with literal descent with the best rates. "
    "Losses are ½ · mean squared error, or cross-entropy with three classes. Lower is better; 1 is descent."
)
STATEMENTS = {
    "one step, scalar y": LOCAL_ATTENTION,
    "one step, vector y": LOCAL_ATTENTION,
    "one step, P = a bᵀ": GATING,
    "one step, constructed tokens": TOKENS,
    "two steps": STEPS,
    "five steps": STEPS,
    "three mini-batches": MINI_BATCH,
    "cross-entropy": CROSS_ENTROPY,
    "one step on learnt features": FEATURES,
    "one step and a gated head": FEATURES,
}
Job = tuple[str, int, int | None, int, int]
"""Formulation, seed, optimizer steps, tasks to measure on, tasks to tune on."""


def measure(context: ExperimentContext) -> Numbers:
    """Train every formulation from every seed."""
    sizes = context.sizes
    jobs = [
        (name, seed, sizes.formulation_steps, sizes.tasks, sizes.rate_tasks)
        for name in FORMULATIONS
        for seed in range(sizes.seeds)
    ]
    runs = defaultdict(list)
    for (name, *_), run in zip(jobs, run_all(_run, jobs, sizes.processes), strict=True):
        runs[name].append(run)
    return dict(runs)


def _run(job: Job) -> dict[str, Any]:
    """Train one, and compare it with literal descent."""
    name, seed, optimizer_steps, tasks, rate_tasks = job
    formulation = FORMULATIONS[name]
    task, observations = formulation.config.task, formulation.config.observations
    sample = draw_tasks(task, rate_tasks, observations, TUNING)
    batch = draw_tasks(task, tasks, observations, EVALUATION)
    model, descent = formulations.train(name, seed, optimizer_steps), formulation.descent(sample, batch)
    ratio = LossRatio.of(formulation.measure(model, batch), descent.losses, batch.x)
    found = {"seed": seed, "descent_loss": float(descent.losses.mean()), **asdict(ratio)}
    if formulation.rates and isinstance(model, GDSSM):
        rates = formulation.rates(model)
        found |= {"rates": [float(rate.real) for rate in rates], "imaginary": [float(rate.imag) for rate in rates]}
        found |= {"best_rates": descent.rates, "rates_difference": rates_difference(rates, descent.rates)}
    return found


def draw(numbers: Numbers) -> Figure:
    """Draw the ratio of every seed with its interval, and descent and the margin as lines."""
    drawing, (axes,) = figure(1, width=8.5, height=5.0)
    axes.axvline(1.0, color=ORANGES[1], linewidth=3)
    axes.axvline(MARGIN, color=SOFT, linestyle=":")
    for row, runs in enumerate(numbers.values()):
        for run in runs:
            place = row + 0.13 * (run["seed"] - (len(runs) - 1) / 2)
            axes.plot([run["loss_ratio_low"], run["loss_ratio_high"]], [place, place], color=BLUES[2], linewidth=1.5)
            axes.plot(run["loss_ratio"], place, "o", color=BLUES[2], markersize=4)
    axes.set_yticks(range(len(numbers)), list(numbers))
    axes.annotate("descent", (1.0, -0.6), (-4, 0), textcoords="offset points", ha="right", color=ORANGES[1])
    axes.annotate(f"margin {MARGIN:g}", (MARGIN, -0.6), (4, 0), textcoords="offset points", color=SOFT)
    axes.set(ylim=(len(numbers) - 0.4, -1.0), xlabel="loss ÷ loss of literal descent (lower is better)")
    return drawing


def tables(numbers: Numbers) -> list[ReportTable]:
    """List every run, and the learning rates in its weights next to the best ones."""
    head = ["formulation", "seed", "loss ÷ descent's", "low", "high", "without the extremes", "geometric"]
    columns = ("loss_ratio", "loss_ratio_low", "loss_ratio_high", "without_extremes", "geometric")
    rows = [
        [name, str(run["seed"]), *(f"{run[column]:.5f}" for column in columns)]
        for name, runs in numbers.items()
        for run in runs
    ]
    rates = [
        [f"{name}, {who}", " ".join(values)]
        for name, runs in numbers.items()
        if "rates" in runs[0]
        for who, values in (
            ("best", [f"{rate:.3f}" for rate in runs[0]["best_rates"]]),
            *((f"seed {run['seed']}", _rates(run)) for run in runs),
        )
    ]
    return [ReportTable("Every run", head, rows), ReportTable("Learning rates in the weights", ["run", "rates"], rates)]


def _rates(run: Numbers) -> list[str]:
    pairs = zip(run["rates"], run["imaginary"], strict=True)
    return [f"{real:.3f}" + (f"{imaginary:+.3f}i" if imaginary else "") for real, imaginary in pairs]


def finding(numbers: Numbers) -> str:
    """Count the runs that are not inferior to descent."""
    runs = [run for found in numbers.values() for run in found]
    good = sum(run["loss_ratio_high"] <= MARGIN for run in runs)
    far = [f"{name}: {_worst(found):.4f}" for name, found in numbers.items() if _worst(found) > MARGIN]
    missed = f" The others, by the largest upper end: {', '.join(far)}." if far else ""
    counts = sorted({len(found) for found in numbers.values()})
    return (
        f"{good} of {len(runs)} runs, {' to '.join(map(str, counts))} of each of {len(numbers)} formulations, "
        f"are not inferior to literal descent.{missed}"
    )


def _worst(runs: list[Numbers]) -> float:
    return float(max(run["loss_ratio_high"] for run in runs))


def claims(numbers: Numbers) -> list[Verdict]:
    """Judge all seeds of a formulation together."""
    found = []
    for name, runs in numbers.items():
        how = f"trained, {name}, {len(runs)} seeds"
        found.append(not_inferior(STATEMENTS[name], how, "literal descent's", runs))
        if "rates" in runs[0]:
            found.append(best_rates(PARAMETERS, how, [run["rates_difference"] for run in runs]))
    return found
