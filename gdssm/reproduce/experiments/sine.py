"""Non-linear regression, with the context drawn."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gdssm.arrays import Array
from gdssm.evaluation.learners import FixedRateDescent, Learner, OnFeatures, Zero
from gdssm.evaluation.learning_rates import best_learning_rates
from gdssm.evaluation.metrics import half_mean_squared_error
from gdssm.evaluation.tasks.nonlinear import Sine
from gdssm.evaluation.tasks.task import Batch
from gdssm.reproduce import curves
from gdssm.reproduce.drawing import LOSS, logarithmic
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.gaussian_process import sine_process, smooth_process
from gdssm.reproduce.plot_style import INK, SOFT, ZERO, descent, plot_style, trained
from gdssm.reproduce.torch_learners import TorchLearner, stack_learner

TITLE = "Non-linear regression: sines"
SETUP = (
    "y = a·sin(x + φ), a ~ U(0.1, 0.5), φ ~ U(0, π), x ~ U(−5, 5), N = 10. The trained stacks learn features before "
    "the layers. Rates, and the length scale of the smooth process, are the best on other tasks. One Gaussian process "
    "has the mean and covariance of the sines themselves, in closed form: two points fix the function."
)
TASK = Sine()
STACKS = {trained(1): "sine-trained", trained(4): "sine-4step-trained"}
LENGTHS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
OWN, SMOOTH = "Gaussian process, the sines' own covariance", "Gaussian process, squared exponential"
FLOOR = 1e-7
DRAWN_TASKS = 4


def measure(context: ExperimentContext) -> Numbers:
    """Measure the loss of every learner, and predict along x for a few tasks."""
    batch, sample = context.batch(TASK), context.sample(TASK)
    length = min(LENGTHS, key=lambda length: _loss(smooth_process(length), sample))
    learners: dict[str, Learner] = {
        ZERO: Zero(),
        f"{descent(1)} on raw x": context.descent(TASK, 1),
        f"{descent(1)} on (sin x, cos x)": _on_ideal_features(sample, 1),
        f"{descent(4)}, on (sin x, cos x)": _on_ideal_features(sample, 4),
        SMOOTH: smooth_process(length),
        OWN: sine_process(TASK),
    }
    stacks = {name: stack_learner(context.runs[run].stack) for name, run in STACKS.items()}
    losses = {
        name: curves.measure(learner, batch, context.sizes.resamples)
        for name, learner in {**learners, **stacks}.items()
    }
    fits = [_fit(batch, task, stacks) for task in range(DRAWN_TASKS)]
    return {"losses": {name: list(loss) for name, loss in losses.items()}, "length_scale": length, "fits": fits}


def _loss(learner: Learner, batch: Batch) -> float:
    return half_mean_squared_error(learner.predict(batch.x, batch.y, batch.x_query), batch.y_query)


def _ideal(x: Array) -> Array:
    return np.concatenate([np.sin(x), np.cos(x)], -1)


def _on_ideal_features(sample: Batch, steps: int) -> Learner:
    features = Batch(_ideal(sample.x), sample.y, _ideal(sample.x_query), sample.y_query)
    return OnFeatures(FixedRateDescent(best_learning_rates(features, steps), steps), _ideal)


def _fit(batch: Batch, task: int, stacks: dict[str, TorchLearner]) -> Numbers:
    """Predict along the range of x; two points determine the function."""
    x, y = batch.x[task : task + 1], batch.y[task : task + 1]
    grid = np.linspace(-5, 5, 121)[None, :, None]
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
        axis.set_xlabel("x")
    axes[0].set_ylabel("y")
    above.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=4)
    _losses(below.subplots(1, 1), numbers["losses"])
    return figure


def _losses(axes: Axes, losses: dict[str, list[float]]) -> None:
    ordered = sorted(losses.items(), key=lambda item: -item[1][0])
    for place, (name, (mean, low, high)) in enumerate(ordered):
        shown = max(mean, FLOOR)
        axes.plot([max(low, FLOOR), max(high, FLOOR)], [place, place], color=plot_style(name).color, linewidth=2)
        axes.plot(shown, place, "o" if mean > FLOOR else "<", color=plot_style(name).color, markersize=9)
        alignment = "center" if mean > FLOOR else "left"
        axes.annotate(f"{mean:.2g}", (shown, place), (0, 6), textcoords="offset points", ha=alignment, fontsize=9)
    axes.set_yticks(range(len(ordered)), [name for name, _ in ordered])
    axes.invert_yaxis()
    logarithmic(axes.xaxis)
    axes.set(xlim=(FLOOR * 0.8, 0.08), xlabel=LOSS)


def tables(numbers: Numbers) -> list[ReportTable]:
    """List the losses."""
    rows = [[name, f"{mean:.3g}", f"{low:.3g}", f"{high:.3g}"] for name, (mean, low, high) in numbers["losses"].items()]
    return [ReportTable("Losses with 95 % intervals", ["learner", "loss", "low", "high"], rows)]


def finding(numbers: Numbers) -> str:
    """Compare the stacks with Gaussian processes."""
    losses = {name: mean for name, (mean, _, _) in numbers["losses"].items()}
    return (
        f"One trained layer has loss {losses[trained(1)]:.2g} and four {losses[trained(4)]:.2g}, where predicting zero "
        f"has {losses[ZERO]:.2g}; from the same context a Gaussian process with the covariance of the sines has "
        f"{losses[OWN]:.1g}, and one with a squared exponential covariance (length scale "
        f"{numbers['length_scale']:g}, chosen on other tasks) {losses[SMOOTH]:.2g}."
    )
