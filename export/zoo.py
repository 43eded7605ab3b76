"""Which models ship, and what their manifests say."""

from collections.abc import Callable
from dataclasses import dataclass

from export.graph import Graph, StateTensor
from gdssm.model import BEST, GradientDescent, StandardizedDescent
from service.artifact import Assumptions, MergeRule, ParameterSpec

VERSION = "1.0.0"

LEARNING_RATE = ParameterSpec(
    name="learning_rate",
    default=BEST,
    above=0.0,
    meaning="length of every gradient step; left out, each step takes the best length for the context (line search)",
)

GATED_SUM = {
    "count": StateTensor(("B",), "sum of the weights"),
    "gated_sum": StateTensor(("B", "D+K", "D+K"), "Σ x xᵀ and Σ x yᵀ, side by side in the first D rows"),
}

MOMENTS = {
    "count": StateTensor(("B",), "sum of the weights"),
    "mean": StateTensor(("B", "D+K"), "weighted mean of [x, y]"),
    "comoment": StateTensor(("B", "D+K", "D+K"), "weighted centred second moments of [x, y], not divided by the count"),
    "peak": StateTensor(("B", "D+K"), "largest diagonal of the comoment so far"),
}


@dataclass(frozen=True)
class Entry:
    """One model of the zoo: how to make it and how to describe it."""

    name: str
    summary: str
    make: Callable[[], Graph]
    assumes: Assumptions
    gradient_steps: int
    step_size: str
    linear_in_y: bool
    merge: MergeRule


def _raw(steps: int, summary: str) -> Entry:
    return Entry(
        name=f"gd-{steps}",
        summary=summary,
        make=lambda: Graph(GradientDescent([BEST] * steps), GATED_SUM, [LEARNING_RATE], "float64"),
        assumes=Assumptions(x="centred, of similar scale", y="centred: there is no intercept"),
        gradient_steps=steps,
        step_size="exact line search on the context, for each step and output; or learning_rate, if given",
        linear_in_y=False,
        merge=MergeRule(rule="scan"),
    )


def _linear(steps: int) -> Entry:
    return Entry(
        name="linear",
        summary=f"{steps} gradient steps on standardised data with an intercept; nothing to tune.",
        make=lambda: Graph(StandardizedDescent(steps), MOMENTS, [], "float64"),
        assumes=Assumptions(x="any location and scale", y="any location and scale"),
        gradient_steps=steps,
        step_size="1/λ, λ a close upper bound of the largest eigenvalue of the standardised second moments of x",
        linear_in_y=True,
        merge=MergeRule(rule="moments"),
    )


ENTRIES = (
    _raw(1, "One gradient step from W₀ = 0 on raw x and y: the paper's layer."),
    _raw(8, "Eight gradient steps from W₀ = 0 on raw x and y."),
    _linear(8),
)
