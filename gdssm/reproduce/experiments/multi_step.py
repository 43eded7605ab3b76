"""More layers, more steps."""

from collections.abc import Callable, Mapping

from matplotlib.figure import Figure

from gdssm.evaluation.learners import ConjugateGradient, Learner, LeastSquares, NewtonSchulz, RidgeRegression, Zero
from gdssm.evaluation.tasks.linear import Linear
from gdssm.reproduce import curves
from gdssm.reproduce.drawing import LOSS, draw_curves, figure
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import DEPTHS, ExperimentContext
from gdssm.reproduce.plot_style import plot_style

TITLE = "More layers, more gradient steps"
SETUP = (
    "Stacks of 1, 2, 5 and 10 layers trained from random weights, gradient descent with the best shared rate and with "
    "the best rate for each step, conjugate gradient and Newton–Schulz. Least squares is exact here (no noise, N = D) "
    "and below the figure."
)
STEPS = (1, 2, 3, 5, 7, 10)
BOTTOM = 1e-3
SHARED, EACH, TRAINED = "descent, one rate", "descent, a rate each", "trained, as many layers"
TASK = Linear()


def measure(context: ExperimentContext) -> Numbers:
    """Measure stacks and iterative learners by steps, and their limits."""
    batch, resamples = context.batch(TASK), context.sizes.resamples
    kinds: Mapping[str, Callable[[int], Learner]] = {
        SHARED: lambda steps: context.descent(TASK, steps, shared=True),
        EACH: lambda steps: context.descent(TASK, steps),
        "conjugate gradient": ConjugateGradient,
        "Newton–Schulz": NewtonSchulz,
    }
    by_steps = [(float(K), batch, {name: make(K) for name, make in kinds.items()}) for K in STEPS]
    stacks = [(float(L), batch, {TRAINED: context.stack(L)}) for L in DEPTHS]
    limits: dict[str, Learner] = {
        "zero": Zero(),
        "ridge 1e-2": RidgeRegression(1e-2),
        "ridge 1e-3": RidgeRegression(1e-3),
        "least squares": LeastSquares(),
    }
    return {
        "steps": curves.sweep("steps", by_steps, resamples),
        "trained": curves.sweep("layers", stacks, resamples),
        "limits": {name: curves.measure(learner, batch, resamples)[0] for name, learner in limits.items()},
    }


def draw(numbers: Numbers) -> Figure:
    """Draw losses by steps, trained stacks as dots, limits as horizontal lines."""
    drawing, (axes,) = figure(1, width=8.5, height=5.2)
    draw_curves(axes, numbers["steps"], floor=BOTTOM)
    stacks = numbers["trained"]
    axes.plot(
        stacks["x"],
        stacks["series"][TRAINED]["mean"],
        "o",
        label=TRAINED,
        color=plot_style("trained, 5 layers").color,
        markersize=9,
        zorder=5,
    )
    for name, loss in numbers["limits"].items():
        if loss > BOTTOM:
            axes.axhline(loss, color=plot_style(name).color, linestyle=":", linewidth=1.2)
            axes.annotate(
                name, (1, loss), xytext=(0, 3), textcoords="offset points", fontsize=9, color=plot_style(name).color
            )
    axes.legend(loc="lower left")
    axes.set(title="linear tasks, D = N = 10", ylabel=LOSS, xlabel="gradient steps, or layers", xticks=STEPS)
    return drawing


def tables(numbers: Numbers) -> list[ReportTable]:
    """List the losses by steps, by layers, and of the limits."""
    limits = [[name, f"{loss:.4g}"] for name, loss in numbers["limits"].items()]
    return [
        curves.table("Loss by steps", numbers["steps"]),
        curves.table("Loss by layers", numbers["trained"]),
        ReportTable("Limits", ["learner", "loss"], limits),
    ]


def finding(numbers: Numbers) -> str:
    """List the losses of the stacks and of as many steps with a rate each."""
    at = dict(zip(numbers["steps"]["x"], numbers["steps"]["series"][EACH]["mean"], strict=True))
    stacks = numbers["trained"]
    losses = [
        f"{loss:.3f} with {L:g} ({at[L]:.3f})"
        for L, loss in zip(stacks["x"], stacks["series"][TRAINED]["mean"], strict=True)
    ]
    return (
        f"A trained stack has loss {', '.join(losses)} layers; in brackets as many gradient steps with the best rate "
        "each. Their ratios are in the table of claims."
    )
