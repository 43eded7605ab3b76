"""Loss against the number of features."""

from dataclasses import replace

import torch
from matplotlib.figure import Figure

from gdssm.evaluation.learners import FixedRateDescent, Learner, Zero
from gdssm.evaluation.oracles import OneStepOracle, uniform_variance
from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.task import Batch
from gdssm.reproduce import curves
from gdssm.reproduce.drawing import LOSS, draw_curves, figure
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.fitting import fit
from gdssm.reproduce.plot_style import ZERO, descent, trained
from gdssm.reproduce.torch_learners import sequence_learner
from gdssm.stack import GDSSM, StackConfig
from gdssm.train.presets import LINEAR

TITLE = "Loss against feature dimension"
SETUP = (
    "Linear tasks x ~ U(−1, 1)^D with as many examples as features, N = D: one constructed step with the best rate, "
    "its loss in closed form, and a layer trained from random weights for each D at one small budget."
)
BATCH = 256


def measure(context: ExperimentContext) -> Numbers:
    """Measure one constructed and one shortly trained layer for each D = N."""
    steps = context.sizes.dimension_steps
    points: list[tuple[float, Batch, dict[str, Learner]]] = []
    for D in context.sizes.dimensions:
        task, oracle = Linear(inputs=D), _oracle(D)
        learners: dict[str, Learner] = {
            ZERO: Zero(),
            descent(1): FixedRateDescent(oracle.learning_rate),
            trained(1): sequence_learner(_train(D, steps)),
        }
        points.append((float(D), context.batch(task, D), learners))
    found = curves.sweep("features D, as many as examples N", points, context.sizes.resamples)
    closed_form = [_oracle(D).loss for D in context.sizes.dimensions]
    return {"losses": found, "oracle": closed_form, "optimizer_steps": steps, "batch": BATCH}


def _oracle(D: int) -> OneStepOracle:
    return OneStepOracle(observations=D, inputs=D, input_variance=uniform_variance(2.0))


def _train(D: int, steps: int) -> GDSSM:
    torch.manual_seed(0)
    stack = GDSSM(StackConfig(D))
    fit(stack, replace(LINEAR, model=stack.config, task=Linear(inputs=D), observations=D, batch=BATCH, steps=steps))
    return stack.double()


def draw(numbers: Numbers) -> Figure:
    """Draw losses by D, the closed form as crosses."""
    drawing, (axes,) = figure(1, width=7.5)
    found = numbers["losses"]
    draw_curves(axes, found)
    axes.plot(found["x"], numbers["oracle"], "x", color="black", markersize=10, zorder=6, label="one step, closed form")
    axes.legend(loc="upper left")
    axes.set(title="loss by the number of features", ylabel=LOSS, xticks=found["x"])
    return drawing


def tables(numbers: Numbers) -> list[ReportTable]:
    """List the losses by D."""
    table = curves.table("Loss by D = N", numbers["losses"])
    table.rows.append(["one step, closed form", *(f"{loss:.4g}" for loss in numbers["oracle"])])
    return [table]


def finding(numbers: Numbers) -> str:
    """Compare the trained layers with one step on the same tasks."""
    series, places = numbers["losses"]["series"], numbers["losses"]["x"]
    pairs = zip(places, series[trained(1)]["mean"], series[descent(1)]["mean"], strict=True)
    ratios = [f"{reached / step:.4f} (D = {D:g})" for D, reached, step in pairs]
    return (
        f"After {numbers['optimizer_steps']} optimizer steps of {numbers['batch']} tasks the trained layer has "
        f"{', '.join(ratios)} times the loss of the best gradient step on the same tasks."
    )
