"""Baselines and ablations at one budget."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gdssm.evaluation.learners import Learner, LeastSquares, Zero
from gdssm.evaluation.tasks.linear import Linear
from gdssm.reproduce import curves
from gdssm.reproduce.compared_models import LAYERS, OURS, RAW, WINDOWED, ComparedModel, compared_models, weights
from gdssm.reproduce.drawing import LOSS, logarithmic
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import EVALUATION, ExperimentContext, draw_tasks
from gdssm.reproduce.plot_style import BLUES, INK, ORANGES, SOFT, ZERO, descent
from gdssm.reproduce.processes import run_all
from gdssm.reproduce.report_sizes import ReportSizes
from gdssm.reproduce.torch_learners import sequence_learner
from gdssm.train.presets import LINEAR

TITLE = "Baselines and ablations at one small budget"
SETUP = (
    "Linear tasks, D = 5, N = 10: every model sees the same batches for the same number of optimizer steps, one seed; "
    "in brackets, the number of trained weights with one/two layers. Baselines are trained by Adam with a peak rate of "
    "0.003, the GD-SSM as its presets. A larger budget may change the order: the baselines may not have converged."
)
TASK = Linear(inputs=5)
TICKS = (0.1, 0.2, 0.3, 0.5, 0.8)
SHADES = {1: BLUES[1], 2: BLUES[10]}


def measure(context: ExperimentContext) -> Numbers:
    """Train every model on the same batches, and measure all on the same tasks."""
    batch, resamples = context.batch(TASK), context.sizes.resamples
    jobs = [(compared, context.sizes) for compared in compared_models(TASK)]
    rows = run_all(_row, jobs, context.sizes.processes)
    references: dict[str, Learner] = {
        ZERO: Zero(),
        descent(1): context.descent(TASK, 1),
        descent(2): context.descent(TASK, 2),
        "least squares": LeastSquares(),
    }
    return {
        "models": rows,
        "references": {name: curves.measure(learner, batch, resamples)[0] for name, learner in references.items()},
        "budget": {"optimizer_steps": context.sizes.comparison_steps, "batch": context.sizes.comparison_batch},
    }


def _row(job: tuple[ComparedModel, ReportSizes]) -> Numbers:
    """Train one model and measure it."""
    compared, sizes = job
    model = compared.train(TASK, sizes)
    batch = draw_tasks(TASK, sizes.tasks, LINEAR.observations, EVALUATION)
    loss, low, high = curves.measure(sequence_learner(model), batch, sizes.resamples)
    return {**compared.label(), "weights": weights(model), "loss": loss, "low": low, "high": high}


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
    sizes = {name: "/".join(str(row["weights"]) for row in rows if row["name"] == name) for name in names}
    axes.set_yticks(range(len(names)), [f"{name}  ({sizes[name]})" for name in names])
    logarithmic(axes.xaxis, TICKS)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.invert_yaxis()


def tables(numbers: Numbers) -> list[ReportTable]:
    """List every model with its size, its loss, and its loss relative to as many gradient steps."""
    rows = [
        [
            row["group"],
            row["name"],
            str(row["layers"]),
            str(row["weights"]),
            f"{row['loss']:.4g} ± {(row['high'] - row['low']) / 2:.1g}",
            f"{row['loss'] / numbers['references'][descent(row['layers'])]:.3f}",
        ]
        for row in numbers["models"]
    ]
    references = [[name, f"{loss:.4g}"] for name, loss in numbers["references"].items()]
    head = ["group", "model", "layers", "weights", "loss", "relative to as many gradient steps"]
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
    return (
        f"A selective SSM of one layer on raw tokens, without window and products, {better} one gradient step: "
        f"{selective['loss']:.3g} compared with {references[descent(1)]:.3g}; two steps have "
        f"{references[descent(2)]:.3g}, predicting zero {references[ZERO]:.3g}. With one layer the GD-SSM has: "
        f"{', '.join(without)}. The lowest of each group, with one and with two layers, are: {'; '.join(parts)}."
    )


def _best(numbers: Numbers, group: str, layers: int) -> Numbers:
    """Find the model of lowest loss."""
    chosen = (row for row in numbers["models"] if row["group"] == group and row["layers"] == layers)
    return min(chosen, key=lambda row: float(row["loss"]))
