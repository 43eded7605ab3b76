"""Out of the distribution of training: wider inputs, larger weights."""

from collections.abc import Callable, Mapping

from matplotlib.figure import Figure

from gdssm.evaluation.learners import Learner, Zero
from gdssm.evaluation.tasks.linear import Linear, Stretched
from gdssm.reproduce import curves
from gdssm.reproduce.drawing import LOSS, draw_curves, figure
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.plot_style import ZERO, descent, line_search, trained
from gdssm.reproduce.torch_learners import line_search_learner

TITLE = "Out of distribution: stretched inputs and weights"
SETUP = (
    "One layer trained on x ~ U(−1, 1)¹⁰, w ~ N(0, I), N = 10, evaluated on tasks with wider inputs or larger weights, "
    "in context and query. The grey line marks the distribution of training."
)
STRETCHES = (0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0)
KINDS: dict[str, Callable[[float], Stretched]] = {
    "input range": lambda by: Stretched(input_stretch=by),
    "weight scale": lambda by: Stretched(weight_stretch=by),
}


def measure(context: ExperimentContext) -> Numbers:
    """Measure one trained layer, and its references, on stretched tasks."""
    learners: Mapping[str, Learner] = {
        ZERO: Zero(),
        descent(1): context.descent(Linear(), 1),
        trained(1): context.stack(1),
        line_search(1): line_search_learner(1),
    }
    return {
        kind: curves.sweep(
            f"{kind}, times that of training",
            [(by, context.batch(stretched(by)), learners) for by in STRETCHES],
            context.sizes.resamples,
        )
        for kind, stretched in KINDS.items()
    }


def draw(numbers: Numbers) -> Figure:
    """Draw a panel for each kind of stretch."""
    drawing, axes = figure(2)
    for axis, (kind, found) in zip(axes, numbers.items(), strict=True):
        draw_curves(axis, found)
        axis.axvline(1.0, color="#BBBBBB", linewidth=1)
        axis.set(title=f"stretched {kind}", ylabel=LOSS)
    return drawing


def tables(numbers: Numbers) -> list[ReportTable]:
    """List the losses by stretch."""
    return [curves.table(f"Loss by {kind}", found) for kind, found in numbers.items()]


def finding(numbers: Numbers) -> str:
    """Compare at the widest inputs."""
    ends = {name: band["mean"][-1] for name, band in numbers["input range"]["series"].items()}
    return (
        f"At {STRETCHES[-1]:g} times the input range the trained layer has loss {ends[trained(1)]:.4g}, one step at "
        f"the same fixed rate {ends[descent(1)]:.4g} and predicting zero {ends[ZERO]:.4g}; a step whose length follows "
        f"from the context (line search) has {ends[line_search(1)]:.4g}."
    )
