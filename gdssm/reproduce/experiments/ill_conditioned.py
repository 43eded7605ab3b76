"""Correlated inputs."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from gdssm.evaluation.learners import ConjugateGradient, Learner, NewtonSchulz, RidgeRegression, Zero
from gdssm.evaluation.tasks.linear import Correlated
from gdssm.reproduce import curves
from gdssm.reproduce.drawing import draw_side_by_side
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import STRETCH, ExperimentContext
from gdssm.reproduce.plot_style import ZERO, descent, line_search, trained
from gdssm.reproduce.torch_learners import line_search_learner

TITLE = "Ill-conditioned inputs"
SETUP = (
    "x ~ N(0, Σ), D = N = 10, with a random eigenbasis for each task, eigenvalues falling geometrically and the mean "
    "variance of training. Left: models as trained on U(−1, 1)¹⁰ and descent with the rates best there. Right: "
    "references with rates tuned to each condition number, or without rates; those of ten steps are tuned on the tasks "
    f"and on the same with inputs stretched by {STRETCH:g}, because rates that are the best for 20,000 tasks alone "
    "diverge on contexts of larger curvature among the next 20,000."
)
CONDITIONS = (1.0, 10.0, 100.0, 1000.0)
AXIS = "condition number of the inputs' covariance"
STEPS = 10
FLOOR, CEILING = 1e-3, 1e3
"""Losses beyond them are drawn at them, with a triangle; the largest one is in the name of the line."""
FIXED, TUNED = "weights and rates of training", "rates tuned to each condition, or none"


def measure(context: ExperimentContext) -> Numbers:
    """Measure fixed models and tuned references by condition number."""
    tasks = {condition: Correlated(condition_number=condition) for condition in CONDITIONS}
    fixed = context.as_trained()
    resamples = context.sizes.resamples
    return {
        FIXED: curves.sweep(AXIS, [(c, context.batch(task), fixed) for c, task in tasks.items()], resamples),
        TUNED: curves.sweep(
            AXIS, [(c, context.batch(task), _tuned(context, task)) for c, task in tasks.items()], resamples
        ),
    }


def _tuned(context: ExperimentContext, task: Correlated) -> Mapping[str, Learner]:
    return {
        ZERO: Zero(),
        descent(1): context.descent(task, 1),
        descent(STEPS, shared=True): context.descent(task, STEPS, shared=True, robust=True),
        descent(STEPS): context.descent(task, STEPS, robust=True),
        line_search(STEPS): line_search_learner(STEPS),
        f"conjugate gradient, {STEPS} steps": ConjugateGradient(STEPS),
        f"Newton–Schulz, {STEPS} steps": NewtonSchulz(STEPS),
        "ridge 1e-2": RidgeRegression(1e-2),
        "ridge 1e-3": RidgeRegression(1e-3),
    }


def draw(numbers: Numbers) -> Figure:
    """Draw fixed weights and rates on the left, tuned ones on the right."""
    return draw_side_by_side(numbers, floor=FLOOR, ceiling=CEILING)


def tables(numbers: Numbers) -> list[ReportTable]:
    """List the losses by condition number."""
    return [curves.table(f"Loss, {name}", found) for name, found in numbers.items()]


def finding(numbers: Numbers) -> str:
    """Compare at the worst condition."""
    fixed, tuned = numbers[FIXED]["series"], numbers[TUNED]["series"]
    return (
        f"At condition number {CONDITIONS[-1]:g} the trained stacks have loss {fixed[trained(1)]['mean'][-1]:.3g} with "
        f"one layer and {fixed[trained(10)]['mean'][-1]:.3g} with ten, where predicting zero has "
        f"{fixed[ZERO]['mean'][-1]:.3g}; ten steps with line search reach "
        f"{tuned[line_search(STEPS)]['mean'][-1]:.3g}, with the best shared rate "
        f"{tuned[descent(STEPS, shared=True)]['mean'][-1]:.3g} and with the best rate each "
        f"{tuned[descent(STEPS)]['mean'][-1]:.3g}."
    )
