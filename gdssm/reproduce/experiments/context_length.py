"""Loss against the number of examples."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from gdssm.evaluation.learners import (
    ConjugateGradient,
    Learner,
    LeastSquares,
    Mean,
    NewtonSchulz,
    RidgeRegression,
    Zero,
)
from gdssm.evaluation.tasks.linear import Linear
from gdssm.reproduce import curves
from gdssm.reproduce.drawing import draw_side_by_side
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import DEPTHS, ExperimentContext
from gdssm.reproduce.plot_style import ZERO, descent, line_search, trained
from gdssm.reproduce.torch_learners import line_search_learner, standardized_learner

TITLE = "Loss against the number of context examples"
SETUP = (
    "Linear tasks, D = 10, from N = 1; bands are 95 % bootstrap intervals over tasks. Left: stacks trained at N = 10 "
    "and descent with the rates best there. Right: references that know N, and the constructed models that are served "
    "(line search, standardised); the rates of ten steps are tuned robustly, with stretched inputs too."
)
AXIS = "examples in the context, N"
TASK = Linear()
STEPS = 10
FLOOR, CEILING = 1e-3, 100.0
"""Losses beyond them are drawn at them, with a triangle; the largest one is in the name of the line."""
FIXED, FREE = "weights and rates of N = 10", "rates best for each N, or none"


def measure(context: ExperimentContext) -> Numbers:
    """Measure every model and reference by N."""
    fixed = context.as_trained()
    lengths, resamples = context.sizes.lengths, context.sizes.resamples
    return {
        FIXED: curves.sweep(AXIS, [(float(N), context.batch(TASK, N), fixed) for N in lengths], resamples),
        FREE: curves.sweep(AXIS, [(float(N), context.batch(TASK, N), _free(context, N)) for N in lengths], resamples),
    }


def _free(context: ExperimentContext, N: int) -> Mapping[str, Learner]:
    return {
        ZERO: Zero(),
        "mean": Mean(),
        descent(1): context.descent(TASK, 1, observations=N),
        descent(STEPS): context.descent(TASK, STEPS, robust=True, observations=N),
        line_search(8): line_search_learner(8),
        "standardised, 8 steps": standardized_learner(8),
        f"conjugate gradient, {STEPS} steps": ConjugateGradient(STEPS),
        f"Newton–Schulz, {STEPS} steps": NewtonSchulz(STEPS),
        "ridge 1e-2": RidgeRegression(1e-2),
        "least squares": LeastSquares(),
    }


def draw(numbers: Numbers) -> Figure:
    """Draw fixed weights and rates on the left, those that depend on N on the right."""
    return draw_side_by_side(numbers, floor=FLOOR, ceiling=CEILING)


def tables(numbers: Numbers) -> list[ReportTable]:
    """List the losses by N."""
    return [curves.table(f"Loss, {name}", found) for name, found in numbers.items()]


def finding(numbers: Numbers) -> str:
    """Report how more examples change the loss of stacks trained with ten."""
    found = numbers[FIXED]
    place = found["x"].index(10.0)
    parts = [
        f"{found['series'][trained(L)]['mean'][place]:.3g} → {found['series'][trained(L)]['mean'][-1]:.3g} ({L})"
        for L in DEPTHS
    ]
    return (
        f"From the N = 10 of training to N = {found['x'][-1]:g} the losses of the trained stacks go {', '.join(parts)} "
        "(layers in brackets)."
    )
