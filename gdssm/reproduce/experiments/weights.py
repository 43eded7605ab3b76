"""Trained weights compared with the constructed ones."""

from dataclasses import asdict
from typing import Any, Literal

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from gdssm import construction
from gdssm.parameter_alignment import parameter_alignment
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.plot_style import ORANGES
from gdssm.stack import GDSSM
from gdssm.train.config import TrainConfig
from gdssm.train.presets import LINEAR, VECTOR
from gdssm.window import NEXT_X, X, Y

TITLE = "Trained and constructed weights"
SETUP = (
    "One layer each. A factor can be moved between P, p and B, so P and p are divided by their entries at e₁e₂ᵀ and "
    "e₃, and B is multiplied with both, which makes it the learning rate. Of the decays only the outlined x yᵀ block "
    "is used; they are drawn as 1 − Λ on a logarithmic scale. Blue is −1, white 0, red 1 (for B: the best rate)."
)
KINDS = {"scalar y": LINEAR.name, "vector y": VECTOR.name}
DECAY = "decay Λ"
PARTS = ("pair weight P", "query weight p", DECAY, "gain B, as a rate")
FORGETTING = (1e-5, 1.0)
"""Ends of the scale of 1 − Λ."""
PLACES = ["x", "y", "x′"]


def measure(context: ExperimentContext) -> Numbers:
    """Normalise the weights of the one-layer runs, and of the construction with the best rate."""
    return {kind: _compare(context, context.runs[run].stack, context.runs[run].config) for kind, run in KINDS.items()}


def _compare(context: ExperimentContext, stack: GDSSM, config: TrainConfig) -> Numbers:
    rate = context.descent(config.task, 1, observations=config.observations).learning_rate
    assert isinstance(rate, tuple)  # noqa: S101
    constructed = construction.steps(config.model.inputs, config.model.outputs, rate)
    with torch.no_grad():
        # One step from zero does not read x xᵀ, which `steps` accumulates for further steps.
        constructed.input_gate.pair_weight.copy_(construction.pairs((X, Y)))
    return {
        "trained": _normalised(stack),
        "constructed": _normalised(constructed),
        "alignment": asdict(parameter_alignment(stack)),
        "constructed_learning_rate": rate[0],
        "inputs": config.model.inputs,
    }


def _normalised(stack: GDSSM) -> dict[str, Any]:
    """Normalise P and p to 1 at their places, and multiply B with both factors."""
    pair, query = (
        weight.detach().double().numpy() for weight in (stack.input_gate.pair_weight, stack.output_gate.query_weight)
    )
    gain = stack.gain[0].detach().double().numpy() * pair[X, Y] * query[NEXT_X]
    parts = (pair / pair[X, Y], query[None] / query[NEXT_X], stack.decay.detach().double().numpy(), gain)
    return {name: np.round(part, 6).tolist() for name, part in zip(PARTS, parts, strict=True)}


def draw(numbers: Numbers) -> Figure:
    """Draw trained above constructed weights, for scalar and for vector y."""
    figure = Figure(figsize=(10.5, 8.6), layout="constrained")
    grid = figure.subplots(4, 4, width_ratios=[1, 1, 1.6, 1.1])
    rows = [(kind, side) for kind in numbers for side in ("trained", "constructed")]
    for row, (axes, (kind, side)) in enumerate(zip(grid, rows, strict=True)):
        rate = numbers[kind]["constructed_learning_rate"]
        for axis, name in zip(axes, PARTS, strict=True):
            values = np.array(numbers[kind][side][name])
            if name == DECAY:
                image = _forgetting(axis, values)
            else:
                _heat(axis, values, rate if name == PARTS[3] else 1.0)
            axis.set_title("" if row else name)
        _mark_used(axes[2], numbers[kind]["inputs"])
        axes[0].set_ylabel(f"{side}\n{kind}", fontweight="bold")
    bar = figure.colorbar(image, ax=list(grid[:, 2]), shrink=0.5, extend="min")
    bar.set_label("1 − Λ")
    return figure


def _forgetting(axes: Axes, decays: np.ndarray) -> AxesImage:
    """Draw 1 − Λ from 1e-5 (and less) to 1 in colours of a logarithmic scale."""
    norm = LogNorm(*FORGETTING)
    image = axes.imshow(np.maximum(1 - decays, FORGETTING[0]), cmap="viridis", norm=norm, interpolation="nearest")
    axes.grid(visible=False)
    axes.set(xticks=[], yticks=[])
    return image


def _heat(axes: Axes, values: np.ndarray, largest: float) -> None:
    """Draw a matrix in colours, a small one with its numbers."""
    aspect: Literal["auto", "equal"] = "auto" if values.shape[1] == 1 else "equal"
    axes.imshow(values, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest", aspect=aspect)
    axes.grid(visible=False)
    axes.set(xticks=[], yticks=[])
    if aspect == "auto":
        axes.set_box_aspect(3)
    if values.size <= 9:
        axes.set_xticks(range(3), PLACES)
        axes.set_yticks(range(len(values)), PLACES if len(values) == 3 else [""])
        for (i, j), value in np.ndenumerate(values):
            text, color = f"{value:z.3f}", "white" if abs(value) > 0.6 else "black"
            axes.text(j, i, text, ha="center", va="center", fontsize=8, color=color)


def _mark_used(axes: Axes, inputs: int) -> None:
    """Outline the decays that the prediction depends on, those of x yᵀ."""
    size = int(axes.get_images()[0].get_size()[0])
    axes.add_patch(
        Rectangle((inputs - 0.5, -0.5), size - inputs, inputs, fill=False, edgecolor=ORANGES[1], linewidth=2)
    )


def tables(numbers: Numbers) -> list[ReportTable]:
    """List the parameter alignment."""
    names = list(next(iter(numbers.values()))["alignment"])
    rows = [
        [kind, *(f"{found['alignment'][name]:.5g}" for name in names), f"{found['constructed_learning_rate']:.5g}"]
        for kind, found in numbers.items()
    ]
    return [ReportTable("Parameter alignment", ["", *(name.replace("_", " ") for name in names), "best rate"], rows)]


def finding(numbers: Numbers) -> str:
    """Report the distance of the weights from the construction."""
    parts = [
        f"with {kind} no other entry of the input gate is above {found['alignment']['input_gate_rest']:.2%} of e₁e₂ᵀ, "
        f"of the output gate none above {found['alignment']['output_gate_rest']:.2%} of e₃, the decays in use are at "
        f"least {found['alignment']['least_decay']:.4f} and the rate is {found['alignment']['learning_rate']:.4f} "
        f"(best: {found['constructed_learning_rate']:.4f})"
        for kind, found in numbers.items()
    ]
    return f"Up to the model's own symmetries: {'; '.join(parts)}."
