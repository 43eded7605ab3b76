"""Loss and alignment over training, compared with the construction."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gdssm.reproduce.drawing import LOSS, logarithmic
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.plot_style import BLUES, ORANGES
from gdssm.train.presets import LINEAR, VECTOR

TITLE = "Loss and alignment over training"
SETUP = (
    "One layer trained from random weights, compared on 500 tasks with one constructed gradient step with the best "
    "rate: its loss, the relative difference of predictions, the mean distance of sensitivities ∂ŷ/∂x, and their "
    "cosine."
)
KINDS = {"scalar y": LINEAR.name, "vector y": VECTOR.name}
COLUMNS = (
    "step",
    "loss",
    "reference_loss",
    "relative_prediction_difference",
    "sensitivity_difference",
    "sensitivity_cosine",
)
NEAR = 0.005
"""Relative excess loss at which a run has arrived."""
ROWS = 12
"""Of the table; the figure has all."""


def measure(context: ExperimentContext) -> Numbers:
    """Collect the metrics logged while the one-layer presets were trained."""
    return {
        kind: {key: [line[key] for line in context.runs[run].history] for key in COLUMNS} for kind, run in KINDS.items()
    }


def draw(numbers: Numbers) -> Figure:
    """Draw loss and differences, a row for scalar and one for vector y."""
    figure = Figure(figsize=(10.5, 5.4), layout="constrained")
    for row, (axes, (kind, log)) in enumerate(zip(figure.subplots(2, 3, sharex=True), numbers.items(), strict=True)):
        _losses(axes[0], log)
        axes[0].set(ylabel=kind)
        _line(axes[1], log["step"], log["relative_prediction_difference"], "prediction, relative", BLUES[1])
        _line(axes[1], log["step"], log["sensitivity_difference"], "sensitivity", BLUES[10])
        axes[1].legend(loc="upper right")
        _line(axes[2], log["step"], [1 - cosine for cosine in log["sensitivity_cosine"]], "", BLUES[5])
        for axis, title in zip(axes, (LOSS, "difference from descent", "1 − sensitivity cosine"), strict=True):
            axis.set(title="" if row else title, xlabel="optimizer step" if row else "")
    return figure


def _losses(axes: Axes, log: dict[str, list[float]]) -> None:
    axes.plot(log["step"], log["reference_loss"], color=ORANGES[1], linewidth=5, alpha=0.6, label="one gradient step")
    axes.plot(log["step"], log["loss"], color=BLUES[5], label="trained")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper right")


def _line(axes: Axes, steps: list[float], values: list[float], label: str, color: str) -> None:
    axes.plot(steps, [max(value, 1e-9) for value in values], color=color, label=label)
    logarithmic(axes.yaxis)


def tables(numbers: Numbers) -> list[ReportTable]:
    """List the log of each run, thinned."""
    return [
        ReportTable(kind, [name.replace("_", " ") for name in COLUMNS], _rows(log)) for kind, log in numbers.items()
    ]


def _rows(log: dict[str, list[float]]) -> list[list[str]]:
    lines = list(zip(*(log[key] for key in COLUMNS), strict=True))
    kept = lines[:: max(1, len(lines) // ROWS)] + lines[-1:]
    return [[f"{step:.0f}", *(f"{value:.6g}" for value in values)] for step, *values in dict.fromkeys(kept)]


def finding(numbers: Numbers) -> str:
    """Report the first step from which the loss stays near that of the gradient step."""
    parts = [f"from optimizer step {_arrival(log):,.0f} on with {kind}" for kind, log in numbers.items()]
    return f"The loss stays within {NEAR:.1%} of that of one gradient step {' and '.join(parts)}."


def _arrival(log: dict[str, list[float]]) -> float:
    """Return the first logged step from which the loss stays near; the last one if it does not."""
    lines = list(zip(log["step"], log["loss"], log["reference_loss"], strict=True))
    far = max((step for step, loss, reference in lines if loss > (1 + NEAR) * reference), default=0.0)
    return min((step for step, _, _ in lines if step > far), default=lines[-1][0])
