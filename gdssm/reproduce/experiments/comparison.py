"""Baselines and ablations, each at its best learning rate and trained until more steps save little."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from gdssm.arrays import Array
from gdssm.evaluation.confidence import bootstrap_interval
from gdssm.evaluation.learners import Learner, LeastSquares, Zero
from gdssm.evaluation.metrics import task_losses
from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.task import Batch
from gdssm.reproduce import curves
from gdssm.reproduce.compared_models import LAYERS, OURS, RAW, WINDOWED, ComparedModel, compared_models, weights
from gdssm.reproduce.drawing import LOSS, logarithmic
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import EVALUATION, TUNING, ExperimentContext, draw_tasks
from gdssm.reproduce.plot_style import BLUES, INK, ORANGES, SOFT, ZERO, descent
from gdssm.reproduce.processes import run_all
from gdssm.reproduce.report_sizes import FULL, ReportSizes
from gdssm.reproduce.torch_learners import sequence_learner
from gdssm.train.presets import LINEAR

TITLE = "Baselines and ablations"
RATES = (0.001, 0.003, 0.01, 0.03)
PLATEAU = 0.02
"""Share of the loss that twice the steps must save, or else training has ended."""
SETUP = (
    "Linear tasks, D = 5, N = 10: every model, with one and two layers, sees the same batches of "
    f"{FULL.comparison_batch} contexts. Each is trained for {FULL.comparison_steps:,} steps at each of {len(RATES)} "
    f"peak learning rates ({', '.join(f'{rate:g}' for rate in RATES)}) with {FULL.comparison_seeds} seeds. At the best "
    f"rate the steps are doubled, at most {FULL.comparison_doublings} times, until twice the steps save less than "
    f"{PLATEAU:.0%} of the loss. Rate and steps are chosen by the mean loss of the seeds on other tasks. In brackets, "
    "the number of trained weights with one/two layers. Small dots are seeds."
)
TASK = Linear(inputs=5)
TICKS = (0.1, 0.2, 0.3, 0.5, 0.8)
SHADES = {1: BLUES[1], 2: BLUES[10]}


def measure(context: ExperimentContext) -> Numbers:
    """Train every model at every rate, and longer at the best one; measure all on the same tasks."""
    batch, resamples = context.batch(TASK), context.sizes.resamples
    jobs = [(compared, context.sizes) for compared in compared_models(TASK)]
    rows = run_all(_row, jobs[::-1], context.sizes.processes)[::-1]  # models that take longest first
    references: dict[str, Learner] = {
        ZERO: Zero(),
        descent(1): context.descent(TASK, 1),
        descent(2): context.descent(TASK, 2),
        "least squares": LeastSquares(),
    }
    return {
        "models": rows,
        "references": {name: curves.measure(learner, batch, resamples)[0] for name, learner in references.items()},
        "batch": context.sizes.comparison_batch,
    }


@dataclass(frozen=True)
class _Trained:
    """A model trained with every seed, its optimizer steps, and its mean loss on the tasks for tuning."""

    models: list[nn.Module]
    steps: int
    loss: float


def _row(job: tuple[ComparedModel, ReportSizes]) -> Numbers:
    """Train one model at every rate and with every seed, double the steps at the best rate, and measure it."""
    compared, sizes = job
    steps = sizes.comparison_steps
    tuning = draw_tasks(TASK, max(1, sizes.tasks // 5), LINEAR.observations, TUNING)

    def train(rate: float) -> _Trained:
        one = partial(compared.train, TASK, rate=rate, steps=steps, batch=sizes.comparison_batch)
        models = [one(seed=seed) for seed in range(sizes.comparison_seeds)]
        loss = _losses(models, tuning).mean()
        return _Trained(models, steps, float(loss) if np.isfinite(loss) else np.inf)

    by_rate = {rate: train(rate) for rate in RATES}
    rate = min(by_rate, key=lambda rate: by_rate[rate].loss)
    best, saved = by_rate[rate], 1.0
    for _ in range(sizes.comparison_doublings):
        steps *= 2
        longer = train(rate)
        saved = 1 - longer.loss / best.loss
        best = min(best, longer, key=lambda trained: trained.loss)
        if saved < PLATEAU:
            break
    losses = _losses(best.models, draw_tasks(TASK, sizes.tasks, LINEAR.observations, EVALUATION))
    interval = bootstrap_interval(losses.mean(0), np.random.default_rng(0), resamples=sizes.resamples)
    return {
        **compared.label(),
        "weights": weights(best.models[0]),
        "rate": rate,
        "by_rate": {
            f"{rate:g}": trained.loss if np.isfinite(trained.loss) else None for rate, trained in by_rate.items()
        },
        "steps": best.steps,
        "saved": saved,
        "seeds": losses.mean(1).tolist(),
        "loss": interval.mean,
        "low": interval.low,
        "high": interval.high,
    }


def _losses(models: list[nn.Module], batch: Batch) -> Array:
    """Return the loss of every model on every task, (models, tasks)."""
    learners = [sequence_learner(model) for model in models]
    predicted = [learner.predict(batch.x, batch.y, batch.x_query) for learner in learners]
    return np.stack([task_losses(prediction, batch.y_query) for prediction in predicted])


def draw(numbers: Numbers) -> Figure:
    """Draw a panel for each group, a row for each model, a dot for each depth."""
    groups = {group: [row for row in numbers["models"] if row["group"] == group] for group in (OURS, RAW, WINDOWED)}
    figure = Figure(figsize=(10, 6.6), layout="constrained")
    for axes, (group, rows) in zip(figure.subplots(len(groups), 1, sharex=True), groups.items(), strict=True):
        _panel(axes, rows, numbers["references"])
        axes.set_title(group)
    figure.axes[0].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.axes[-1].set_xlabel(LOSS)
    return figure


def _panel(axes: Axes, rows: list[Numbers], references: dict[str, float]) -> None:
    names = list(dict.fromkeys(row["name"] for row in rows))
    for name, color in ((ZERO, SOFT), (descent(1), ORANGES[1]), (descent(2), ORANGES[5])):
        axes.axvline(references[name], color=color, linewidth=2, linestyle=":" if name == ZERO else "-", label=name)
    for layers, color in SHADES.items():
        chosen = [row for row in rows if row["layers"] == layers]
        places = [names.index(row["name"]) + (0.14 if layers == 2 else -0.14) for row in chosen]
        axes.plot(
            [row["loss"] for row in chosen],
            places,
            "o",
            color=color,
            markersize=8,
            label=f"{layers} layer{'s' if layers > 1 else ''}",
        )
        for row, place in zip(chosen, places, strict=True):
            axes.plot([row["low"], row["high"]], [place, place], color=color, linewidth=2)
            axes.plot(row["seeds"], [place] * len(row["seeds"]), "o", color=color, markersize=4, alpha=0.5)
    sizes = {name: "/".join(str(row["weights"]) for row in rows if row["name"] == name) for name in names}
    axes.set_yticks(range(len(names)), [f"{name}  ({sizes[name]})" for name in names])
    logarithmic(axes.xaxis, TICKS)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.invert_yaxis()


def tables(numbers: Numbers) -> list[ReportTable]:
    """List every model with its size, its training, its loss, and its loss relative to as many gradient steps."""
    rows = [
        [
            row["group"],
            row["name"],
            str(row["layers"]),
            str(row["weights"]),
            f"{row['rate']:g}",
            f"{row['steps']:,}",
            f"{row['saved']:.1%}",
            f"{row['loss']:.4g} ± {(row['high'] - row['low']) / 2:.1g}",
            ", ".join(f"{loss:.4g}" for loss in row["seeds"]),
            f"{row['loss'] / numbers['references'][descent(row['layers'])]:.3f}",
        ]
        for row in numbers["models"]
    ]
    references = [[name, f"{loss:.4g}"] for name, loss in numbers["references"].items()]
    head = ["group", "model", "layers", "weights", "learning rate", "steps", "saved by the last doubling"]
    head += ["loss", "every seed", "relative to as many gradient steps"]
    return [ReportTable("Models", head, rows), ReportTable("References", ["learner", "loss"], references)]


def finding(numbers: Numbers) -> str:
    """Report the lowest loss of each group."""
    parts = []
    for group in (OURS, RAW, WINDOWED):
        best = [_best(numbers, group, layers) for layers in LAYERS]
        reached = " and ".join(f"{row['loss']:.3g} ({row['name']}, {row['weights']} weights)" for row in best)
        parts.append(f"{group} {reached}")
    references = numbers["references"]
    without = [
        f"{row['name']} {row['loss']:.3g}" for row in numbers["models"] if row["group"] == OURS and row["layers"] == 1
    ]
    selective = next(row for row in numbers["models"] if (row["group"], row["name"]) == (RAW, "selective ssm"))
    better = "beats" if selective["high"] < references[descent(1)] else "does not beat"
    unfinished = _listed(row for row in numbers["models"] if row["saved"] >= PLATEAU)
    still = f" The last doubling still saved {PLATEAU:.0%} or more of: {unfinished}." if unfinished else ""
    unlearnt = _listed(row for row in numbers["models"] if row["loss"] > (1 - PLATEAU) * references[ZERO])
    zero = f" These ended within {PLATEAU:.0%} of predicting zero: {unlearnt}." if unlearnt else ""
    return (
        f"A selective SSM of one layer on raw tokens, without window and products, {better} one gradient step: "
        f"{selective['loss']:.3g} compared with {references[descent(1)]:.3g}; two steps have "
        f"{references[descent(2)]:.3g}, predicting zero {references[ZERO]:.3g}. With one layer the GD-SSM has: "
        f"{', '.join(without)}. The lowest of each group, with one and with two layers, are: {'; '.join(parts)}."
        f"{still}{zero}"
    )


def _listed(rows: Iterable[Numbers]) -> str:
    """Name models with group and number of layers."""
    return ", ".join(f"{row['name']} ({row['group']}, {row['layers']})" for row in rows)


def _best(numbers: Numbers, group: str, layers: int) -> Numbers:
    """Find the model of lowest loss."""
    chosen = (row for row in numbers["models"] if row["group"] == group and row["layers"] == layers)
    return min(chosen, key=lambda row: float(row["loss"]))
