"""A trained layer as linear self-attention."""

import numpy as np
import torch
from matplotlib.figure import Figure

from gdssm import construction, linear_attention
from gdssm.evaluation.metrics import relative_prediction_difference
from gdssm.evaluation.tasks.linear import Linear
from gdssm.layer import GDSSMLayer
from gdssm.linear_attention import LinearAttention, from_layer
from gdssm.reproduce.claims import ATTENTION, ROUNDING, Verdict, at_most
from gdssm.reproduce.drawing import figure, logarithmic
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.plot_style import BLUES, INK, SOFT
from gdssm.reproduce.torch_learners import TorchLearner, layer_learner, stack_learner
from gdssm.stack import GDSSM
from gdssm.train.presets import LINEAR, VECTOR

TITLE = "A trained layer as linear self-attention"
SETUP = (
    "The trained one-layer weights in linear self-attention (gdssm.linear_attention). Attention has neither decay nor "
    "products across observations; without those of the trained layer, predictions differ."
)
LENGTHS = (1, 2, 5, 10, 20, 50, 100)
SCATTERED = 300
"""Predictions in the scatter plot."""
SMALLEST = 1e-17
"""Difference drawn in place of 0 on a logarithmic axis."""
TRANSLATED = 0.02
"""Bound of the relative difference of a trained layer from its translation, at the N of training."""
KINDS = {"scalar y": LINEAR.name, "vector y": VECTOR.name}


def measure(context: ExperimentContext) -> Numbers:
    """Translate the trained layers, and compare the two constructions."""
    trained = {kind: _translate(context, context.runs[run].stack) for kind, run in KINDS.items()}
    return {"lengths": LENGTHS, "trained": trained, "constructed": _constructed(context)}


def layer_of(stack: GDSSM) -> GDSSMLayer:
    """Return a stack of one layer as that layer: its gain is in the rows of y of the readout."""
    weights = (stack.input_gate.pair_weight, stack.decay, stack.output_gate.query_weight)
    pair_weight, decay, query_weight = (weight.detach().clone() for weight in weights)
    readout = torch.zeros_like(decay)
    readout[stack.config.inputs :] = stack.gain.detach()[0].mT
    return GDSSMLayer(pair_weight, decay, query_weight, readout, torch.zeros_like(readout))


def _translate(context: ExperimentContext, stack: GDSSM) -> Numbers:
    attention = from_layer(layer_of(stack), stack.config.inputs)
    task = Linear(stack.config.inputs, stack.config.outputs)
    relative = []
    for N in LENGTHS:
        batch = context.batch(task, N)
        theirs, ours = (
            learner.predict(batch.x, batch.y, batch.x_query)
            for learner in (_attention_learner(attention), stack_learner(stack))
        )
        relative.append(relative_prediction_difference(theirs, ours))
        if LINEAR.observations == N:
            pairs = np.stack([ours.ravel(), theirs.ravel()])[:, :SCATTERED]
    return {"relative_difference": relative, "predictions": np.round(pairs, 5).tolist()}


def _attention_learner(attention: LinearAttention) -> TorchLearner:
    return TorchLearner(lambda x, y, x_query: attention.predict(x, y, x.new_ones(x.shape[:2]), x_query))


def _constructed(context: ExperimentContext) -> list[float]:
    """The relative difference of the two constructions for each N, which is rounding."""
    layer = layer_learner(construction.one_step(10, 1, 1.5, torch.float64))
    attention = _attention_learner(linear_attention.one_step(10, 1, 1.5, torch.float64))
    differences = []
    for N in LENGTHS:
        batch = context.batch(Linear(), N)
        theirs, ours = (learner.predict(batch.x, batch.y, batch.x_query) for learner in (attention, layer))
        differences.append(relative_prediction_difference(theirs, ours))
    return differences


def draw(numbers: Numbers) -> Figure:
    """Draw predictions against each other, and their differences by N."""
    drawing, (left, right) = figure(2, width=10, height=4.2)
    ours, theirs = numbers["trained"]["scalar y"]["predictions"]
    ends = [min(ours), max(ours)]
    left.plot(ends, ends, color=SOFT, linewidth=1)
    left.plot(ours, theirs, "o", color=BLUES[2], markersize=4, alpha=0.6, markeredgewidth=0)
    left.set(title="predictions, scalar y, N = 10", xlabel="trained GD-SSM layer", ylabel="as linear attention")
    lines = {f"trained, {kind}": found["relative_difference"] for kind, found in numbers["trained"].items()}
    lines["constructed (rounding)"] = numbers["constructed"]
    for (name, line), color in zip(lines.items(), (BLUES[1], BLUES[10], INK), strict=True):
        right.plot(numbers["lengths"], [max(value, SMALLEST) for value in line], "o-", color=color, label=name)
    right.legend(loc="center right")
    logarithmic(right.xaxis, numbers["lengths"])
    logarithmic(right.yaxis)
    right.set(ylim=(SMALLEST / 10, 10), xlabel="examples in the context, N", title="relative difference of predictions")
    return drawing


def tables(numbers: Numbers) -> list[ReportTable]:
    """List the differences by N."""
    rows = [
        [f"trained, {kind}", *(f"{value:.2g}" for value in found["relative_difference"])]
        for kind, found in numbers["trained"].items()
    ]
    rows.append(["constructed", *(f"{value:.2g}" for value in numbers["constructed"])])
    return [ReportTable("Relative difference of predictions, ‖a − b‖/‖b‖", ["N", *map(str, numbers["lengths"])], rows)]


def finding(numbers: Numbers) -> str:
    """Compare at the N of training and at the largest."""
    place = LENGTHS.index(LINEAR.observations)
    parts = [
        f"{found['relative_difference'][place]:.2%} at N = {LINEAR.observations} and "
        f"{found['relative_difference'][-1]:.2%} at N = {LENGTHS[-1]} with {kind}"
        for kind, found in numbers["trained"].items()
    ]
    return (
        f"Written as linear self-attention, the trained layer's predictions change by {'; '.join(parts)}; the "
        f"constructions differ by at most {max(numbers['constructed']):.1g}, which is rounding."
    )


def claims(numbers: Numbers) -> list[Verdict]:
    """Compare the trained layers at the N of training, and the two constructions."""
    place = LENGTHS.index(LINEAR.observations)
    trained = [
        at_most(
            ATTENTION,
            KINDS[kind],
            "as attention: relative difference of predictions",
            found["relative_difference"][place],
            TRANSLATED,
        )
        for kind, found in numbers["trained"].items()
    ]
    quantity = "relative difference of the two constructions"
    return [*trained, at_most(ATTENTION, "constructed", quantity, max(numbers["constructed"]), ROUNDING)]
