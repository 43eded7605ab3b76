"""Non-linear regression, with the context drawn."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gdssm.evaluation.learners import Learner, Zero
from gdssm.evaluation.metrics import half_mean_squared_error
from gdssm.evaluation.tasks.nonlinear import Sine
from gdssm.evaluation.tasks.task import Batch
from gdssm.reproduce import curves
from gdssm.reproduce.drawing import LOSS, logarithmic
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.formulations import on_ideal_features
from gdssm.reproduce.gaussian_process import sine_process, smooth_process
from gdssm.reproduce.plot_style import INK, SOFT, ZERO, descent, plot_style, trained
from gdssm.reproduce.torch_learners import TorchLearner, stack_learner

TITLE = "Non-linear regression: sines"
SETUP = (
    "y = a·sin(x + φ), a ~ U(0.1, 0.5), φ ~ U(0, π), x ~ U(−5, 5), N = 10. The trained stacks learn features before "
    "the layers. Rates, and the length scale of the smooth process, are the best on other tasks. One Gaussian process "
    "has the mean and covariance of the sines themselves, in closed form: two points fix the function. Outside the "
    "range of training: x ~ U(−7, 7), and φ ~ U(π, 2π); nothing is tuned again. The grey lines mark the range."
)
TASK = Sine()
STACKS = {trained(1): "sine-trained", trained(4): "sine-4step-trained"}
LENGTHS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
OWN, SMOOTH = "Gaussian process, the sines' own covariance", "Gaussian process, squared exponential"
OUTSIDE = {"x ~ U(−7, 7)": Sine(input_range=14.0), "φ ~ U(π, 2π)": Sine(phase=(math.pi, 2 * math.pi))}
AS_TRAINED = "as trained"
MARKERS = {AS_TRAINED: "o", "x ~ U(−7, 7)": "s", "φ ~ U(π, 2π)": "^"}
FLOOR = 1e-7
DRAWN_TASKS = 4


def measure(context: ExperimentContext) -> Numbers:
    """Measure the loss of every learner, and predict along x for a few tasks."""
    batch, sample = context.batch(TASK), context.sample(TASK)
    length = min(LENGTHS, key=lambda length: _loss(smooth_process(length), sample))
    learners: dict[str, Learner] = {
        ZERO: Zero(),
        f"{descent(1)} on raw x": context.descent(TASK, 1),
        f"{descent(1)} on (sin x, cos x)": on_ideal_features(sample, 1),
        f"{descent(4)}, on (sin x, cos x)": on_ideal_features(sample, 4),
        SMOOTH: smooth_process(length),
        OWN: sine_process(TASK),
    }
    stacks = {name: stack_learner(context.runs[run].stack) for name, run in STACKS.items()}
    everyone = {**learners, **stacks}
    batches = {AS_TRAINED: batch, **{where: context.batch(task) for where, task in OUTSIDE.items()}}
    losses = {
        where: {name: curves.measure(learner, tasks, context.sizes.resamples) for name, learner in everyone.items()}
        for where, tasks in batches.items()
    }
    fits = [_fit(batch, task, stacks) for task in range(DRAWN_TASKS)]
    return {"losses": losses, "length_scale": length, "fits": fits}


def _loss(learner: Learner, batch: Batch) -> float:
    return half_mean_squared_error(learner.predict(batch.x, batch.y, batch.x_query), batch.y_query)


def _fit(batch: Batch, task: int, stacks: dict[str, TorchLearner]) -> Numbers:
    """Predict along x, beyond the range of training; two points determine the function."""
    x, y = batch.x[task : task + 1], batch.y[task : task + 1]
    grid = np.linspace(-7, 7, 141)[None, :, None]
    learners: dict[str, Learner] = {"the function": sine_process(TASK), **stacks}
    lines = {name: np.round(learner.predict(x, y, grid).ravel(), 5).tolist() for name, learner in learners.items()}
    return {
        "x": np.round(grid.ravel(), 4).tolist(),
        "lines": lines,
        "context": [x.ravel().tolist(), y.ravel().tolist()],
    }


def draw(numbers: Numbers) -> Figure:
    """Draw the fits above, the losses below."""
    figure = Figure(figsize=(10.5, 6.2), layout="constrained")
    (above, below) = figure.subfigures(2, 1, squeeze=False, height_ratios=[1, 1.15])[:, 0]
    axes = above.subplots(1, DRAWN_TASKS, sharey=True, squeeze=False)[0]
    for axis, fit in zip(axes, numbers["fits"], strict=True):
        for name, line in fit["lines"].items():
            color = SOFT if name == "the function" else plot_style(name).color
            style = {"linewidth": 5, "alpha": 0.4} if name == "the function" else {"linewidth": 1.8}
            axis.plot(fit["x"], line, color=color, label=name, **style)
        axis.plot(*fit["context"], "o", color=INK, markersize=5, label="context", zorder=5)
        for end in (-5, 5):
            axis.axvline(end, color=SOFT, linewidth=0.8)
        axis.set_xlabel("x")
    axes[0].set_ylabel("y")
    above.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=4)
    _losses(below.subplots(1, 1), numbers["losses"])
    return figure


def _losses(axes: Axes, losses: dict[str, dict[str, list[float]]]) -> None:
    ordered = sorted(losses[AS_TRAINED], key=lambda name: -losses[AS_TRAINED][name][0])
    for where, marker in MARKERS.items():
        filled = where == AS_TRAINED
        axes.plot([], [], marker, color=INK, fillstyle="full" if filled else "none", label=where)
        for place, name in enumerate(ordered):
            mean, low, high = (max(value, FLOOR) for value in losses[where][name])
            color = plot_style(name).color
            axes.plot([low, high], [place, place], color=color, linewidth=2)
            shape = marker if losses[where][name][0] > FLOOR else "<"
            axes.plot(mean, place, shape, color=color, markersize=8, fillstyle="full" if filled else "none")
    axes.set_yticks(range(len(ordered)), ordered)
    axes.invert_yaxis()
    logarithmic(axes.xaxis)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes.set(xlabel=LOSS)


def tables(numbers: Numbers) -> list[ReportTable]:
    """List the losses, in and outside the range of training."""
    losses = numbers["losses"]
    rows = [[name, *(_interval(found[name]) for found in losses.values())] for name in losses[AS_TRAINED]]
    return [ReportTable("Losses with 95 % intervals", ["learner", *losses], rows)]


def _interval(loss: list[float]) -> str:
    mean, low, high = loss
    return f"{mean:.3g} ({low:.3g} – {high:.3g})"


def finding(numbers: Numbers) -> str:
    """Compare the stacks with Gaussian processes, and with predicting zero outside the range of training."""
    losses = {where: {name: loss[0] for name, loss in found.items()} for where, found in numbers["losses"].items()}
    inside = losses[AS_TRAINED]
    outside = [
        f"with {where} {losses[where][trained(1)]:.2g} and {losses[where][trained(4)]:.2g} (zero: "
        f"{losses[where][ZERO]:.2g})"
        for where in OUTSIDE
    ]
    return (
        f"One trained layer has loss {inside[trained(1)]:.2g} and four {inside[trained(4)]:.2g}, where predicting zero "
        f"has {inside[ZERO]:.2g}, a Gaussian process with the covariance of the sines {inside[OWN]:.1g}, and one with "
        f"a squared exponential covariance {inside[SMOOTH]:.2g}. Outside the range of training one and four layers "
        f"have {' and '.join(outside)}."
    )
