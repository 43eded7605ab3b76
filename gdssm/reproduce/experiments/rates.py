"""The learning rates in the weights of trained stacks, next to the best ones."""

import numpy as np
from matplotlib.figure import Figure

from gdssm.evaluation.learning_rates import best_learning_rates
from gdssm.parameter_alignment import rates_difference, stack_rates
from gdssm.reproduce.drawing import figure, logarithmic
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import DEPTHS, ExperimentContext
from gdssm.reproduce.plot_style import BLUES, ORANGES
from gdssm.train.presets import LINEAR

TITLE = "The learning rates of several layers"
SETUP = (
    "Descent with rates η leaves the share Π(1 − ηλ) of an error along an eigenvector of mean x xᵀ with eigenvalue λ. "
    "The same polynomial follows from the weights of a trained stack; its inverse roots are the rates of the stack. "
    "The best rates are those of lowest mean loss on 20,000 tasks of a sample for tuning, and for comparison on those "
    "of the evaluation. The few contexts of largest curvature decide the smallest one, so it differs between samples."
)

NEAR = 0.05
"""Relative distance of a rate that counts as near."""


def measure(context: ExperimentContext) -> Numbers:
    """Read the rates of every stack, and find the best ones."""
    found = {}
    for layers, run in DEPTHS.items():
        best = context.descent(LINEAR.task, layers).rates
        again = best_learning_rates(context.batch(LINEAR.task), layers)
        rates = stack_rates(context.runs[run].stack)
        found[str(layers)] = {
            "rates": rates.real.tolist(),
            "imaginary": rates.imag.tolist(),
            "best": list(best),
            "best_again": list(again),
            "distance": (np.abs(rates - np.array(best)) / np.array(best)).tolist(),
            "largest": rates_difference(rates, best),
            "largest_of_best": rates_difference(np.array(again), best),
        }
    return found


def draw(numbers: Numbers) -> Figure:
    """Draw a row for each stack: its rates as dots, the best ones as bars."""
    drawing, (axes,) = figure(1, width=8.5, height=3.4)
    for row, found in enumerate(numbers.values()):
        axes.plot(found["best"], [row] * len(found["best"]), "|", color=ORANGES[2], markersize=22, markeredgewidth=3)
        axes.plot(found["rates"], [row] * len(found["rates"]), "o", color=BLUES[5], markersize=6)
    axes.set_yticks(range(len(numbers)), [f"{layers} layer{'s' if layers != '1' else ''}" for layers in numbers])
    axes.annotate("best", (numbers["1"]["best"][0], 0), (8, 6), textcoords="offset points", color=ORANGES[2])
    axes.annotate("trained", (numbers["1"]["rates"][0], 0), (8, -12), textcoords="offset points", color=BLUES[5])
    logarithmic(axes.xaxis, (0.5, 1, 2, 5, 10, 20))
    axes.set(ylim=(len(numbers) - 0.4, -0.6), xlabel="learning rate")
    return drawing


def tables(numbers: Numbers) -> list[ReportTable]:
    """List the rates of every stack with the best ones."""
    return [
        ReportTable(
            f"{layers} layer{'s' if layers != '1' else ''}",
            ["rate", "trained", "best", "distance", "best for the evaluation"],
            [
                [
                    str(place),
                    f"{real:.4f}" + (f" {imag:+.4f}i" if imag else ""),
                    f"{best:.4f}",
                    f"{far:.2%}",
                    f"{again:.4f}",
                ]
                for place, (real, imag, best, far, again) in enumerate(
                    zip(*(found[key] for key in ("rates", "imaginary", "best", "distance", "best_again")), strict=True),
                    1,
                )
            ],
        )
        for layers, found in numbers.items()
    ]


def finding(numbers: Numbers) -> str:
    """Report the largest distance of a rate from the best one, and how many are within 5 %."""
    parts = [
        f"{found['largest']:.1%} with {layers} ({sum(far <= NEAR for far in found['distance'])} of "
        f"{len(found['distance'])} rates within {NEAR:.0%}; best rates of two samples: {found['largest_of_best']:.1%})"
        for layers, found in numbers.items()
    ]
    return f"A rate of a trained stack differs from the best one by at most {', '.join(parts)} layers."
