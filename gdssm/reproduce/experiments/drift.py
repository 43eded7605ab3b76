"""Decay on tasks whose function changes along the context."""

from dataclasses import replace

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gdssm import construction
from gdssm.evaluation.learners import Learner, Zero
from gdssm.evaluation.tasks.linear import Drift
from gdssm.evaluation.tasks.task import Batch
from gdssm.reproduce import curves
from gdssm.reproduce.drawing import LOSS, draw_curves, figure
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.fitting import fit
from gdssm.reproduce.plot_style import BLUES, ZERO
from gdssm.reproduce.torch_learners import TorchLearner, layer_learner, stack_learner
from gdssm.stack import GDSSM, StackConfig
from gdssm.train.presets import LINEAR

TITLE = "Drift, with and without decay"
SETUP = (
    "The weights of a linear task (D = 5, N = 40) change with every observation; the query has the next ones. "
    "One constructed layer, decay 1 or the best λ, each with the best rate, both found on other tasks; and one layer "
    "trained from random weights at ρ = 0.95."
)
INPUTS, LENGTH = 5, 40
PERSISTENCES = (0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 1.0)
DECAYS = (0.6, 0.65, 0.7, 0.75, 0.8, 0.84, 0.87, 0.9, 0.92, 0.94, 0.96, 0.97, 0.98, 0.99, 0.995, 1.0)
TRAINED_ON = 0.95
KEEPS, FORGETS = "decay 1", "best decay"
PERSISTENCE_COLORS = {"0.8": "#9E9E9E", "0.95": "#5C9C4A", "0.99": "#2A7F3E", "1.0": "#0F4021"}


def measure(context: ExperimentContext) -> Numbers:
    """Measure the constructed layer with and without decay, by persistence of the weights."""
    points, chosen = [], {}
    for persistence in PERSISTENCES:
        task = Drift(INPUTS, persistence=persistence)
        sample = context.sample(task, LENGTH)
        found = {decay: _best_rate(sample, decay) for decay in DECAYS}
        best = min(found, key=lambda decay: found[decay][1])
        chosen[str(persistence)] = {"decay": best, "losses": [loss for _, loss in found.values()]}
        learners: dict[str, Learner] = {
            ZERO: Zero(),
            KEEPS: _layer(1.0, found[1.0][0]),
            FORGETS: _layer(best, found[best][0]),
        }
        points.append((persistence, context.batch(task, LENGTH), learners))
    losses = curves.sweep("persistence ρ of a weight from one observation to the next", points, context.sizes.resamples)
    return {"losses": losses, "decays": DECAYS, "chosen": chosen, "trained": _trained(context)}


def _best_rate(batch: Batch, decay: float) -> tuple[float, float]:
    """Project the answers on the prediction of a step of rate 1: the best rate, and its loss."""
    fade = decay ** np.arange(LENGTH - 1, -1, -1.0)[:, None]
    unit = (batch.x_query @ ((fade * batch.x).mT @ batch.y)).ravel() / LENGTH
    answer = batch.y_query.ravel()
    rate = float(unit @ answer / (unit @ unit))
    return rate, float(0.5 * np.mean((rate * unit - answer) ** 2))


def _layer(decay: float, learning_rate: float) -> TorchLearner:
    layer = construction.one_step(INPUTS, 1, learning_rate, torch.float64)
    torch.nn.init.constant_(layer.decay, decay)
    return layer_learner(layer)


def _trained(context: ExperimentContext) -> Numbers:
    """Train one layer on drift; report its loss and its decays in the x yᵀ block."""
    torch.manual_seed(0)
    stack, task = GDSSM(StackConfig(INPUTS)), Drift(INPUTS, persistence=TRAINED_ON)
    steps = context.sizes.drift_steps
    fit(stack, replace(LINEAR, model=stack.config, task=task, observations=LENGTH, batch=256, steps=steps))
    used = stack.decay.detach()[:INPUTS, INPUTS:]
    loss, low, high = curves.measure(
        stack_learner(stack.double()), context.batch(task, LENGTH), context.sizes.resamples
    )
    decays = {"least": float(used.min()), "median": float(used.median()), "largest": float(used.max())}
    return {
        "persistence": TRAINED_ON,
        "loss": loss,
        "low": low,
        "high": high,
        "decays": decays,
        "optimizer_steps": steps,
    }


def draw(numbers: Numbers) -> Figure:
    """Draw losses by persistence, and on the right by decay."""
    drawing, (left, right) = figure(2, width=11, height=4.4)
    draw_curves(left, numbers["losses"])
    trained = numbers["trained"]
    left.plot(trained["persistence"], trained["loss"], "o", color=BLUES[5], markersize=9, label="trained, 1 layer")
    left.legend(loc="lower left")
    left.set(title="with and without decay", ylabel=LOSS)
    _by_decay(right, numbers)
    return drawing


def _by_decay(axes: Axes, numbers: Numbers) -> None:
    """Draw the loss by decay for some persistences, the best decays, and the learned one."""
    learned = numbers["trained"]["decays"]["median"]
    axes.axvline(learned, color=BLUES[5], linestyle=":", label=f"learned at ρ = {TRAINED_ON}")
    for persistence, color in PERSISTENCE_COLORS.items():
        losses = numbers["chosen"][persistence]["losses"]
        best = int(np.argmin(losses))
        place = numbers["decays"][best], losses[best]
        axes.plot(numbers["decays"], losses, color=color)
        axes.plot(*place, "o", color=color, markersize=7)
        axes.annotate(f"ρ = {persistence}", place, (-5, -14), textcoords="offset points", ha="right", color=color)
    axes.legend(loc="upper left", bbox_to_anchor=(0, 0.93))
    axes.set(title="loss by decay", xlabel="decay λ, with the best rate for each", ylabel=LOSS)
    axes.set_ylim(bottom=0)


def tables(numbers: Numbers) -> list[ReportTable]:
    """List losses and best decays by persistence, and the trained layer."""
    by_persistence = curves.table("Loss by persistence", numbers["losses"])
    by_persistence.rows.append(["best decay", *(f"{found['decay']:g}" for found in numbers["chosen"].values())])
    trained = numbers["trained"]
    learned = [f"{value:.4g}" for value in (trained["persistence"], trained["loss"], *trained["decays"].values())]
    return [
        by_persistence,
        ReportTable("Trained on drift", ["ρ", "loss", "least decay", "median", "largest"], [learned]),
    ]


def finding(numbers: Numbers) -> str:
    """Compare at the persistence of training."""
    place, trained = PERSISTENCES.index(TRAINED_ON), numbers["trained"]
    series = numbers["losses"]["series"]
    return (
        f"At ρ = {TRAINED_ON} one step has loss {series[KEEPS]['mean'][place]:.3g} without decay and "
        f"{series[FORGETS]['mean'][place]:.3g} with the best, λ = {numbers['chosen'][str(TRAINED_ON)]['decay']:g}; a "
        f"layer trained on such tasks reaches {trained['loss']:.3g} with decays of {trained['decays']['least']:.3f} to "
        f"{trained['decays']['largest']:.3f}; where nothing drifts the best decay is "
        f"{numbers['chosen']['1.0']['decay']:g}."
    )
