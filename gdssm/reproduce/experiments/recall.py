"""Multi-query associative recall, against window, gradient steps and heads."""

from dataclasses import asdict, dataclass
from functools import partial

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from gdssm.reproduce.claims import Verdict, at_least, at_most
from gdssm.reproduce.drawing import figure
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.plot_style import BLUES, SOFT
from gdssm.reproduce.processes import run_all
from gdssm.reproduce.sequence_models import (
    ANY_SEQUENCE,
    OTHERS,
    Attention,
    GatedDeltaRule,
    LinearAttentionMixer,
    Mixer,
    build,
    fit,
    layer,
)

PAIRS, VOCABULARY, WIDTH, BATCH = 8, 64, 32, 32
TITLE = "Associative recall: window, gradient steps and heads"
SETUP = (
    f"{PAIRS} pairs of a key and a value token, then all keys in another order; the label of each is its value. "
    f"Vocabulary {VOCABULARY}, one block of width {WIDTH}, at most 400 steps of {BATCH} sequences, ended at 0.998. "
    "Two learning rates (0.01, 0.03) with one seed, the better one with all seeds. 2 heads unless stated; a window is "
    "that of gdssm.sequence, also in other models, where keys begin as the previous token."
)
RATES = (0.01, 0.03)
CHECK_EVERY, TEST, ENOUGH, GOAL = 50, 512, 0.998, 0.99
NOISE = 0.002
"""Difference of two accuracies that training which ends at `ENOUGH` leaves open."""


@dataclass(frozen=True)
class Variant:
    """A layer of the experiment."""

    window: int
    steps: int
    heads: int

    @property
    def name(self) -> str:
        """Name it."""
        heads = f"{self.heads} head{'s' if self.heads > 1 else ''}"
        return f"window {self.window}, K = {self.steps}, {heads}"

    def mixer(self) -> Mixer:
        """Choose the layer."""
        return layer(heads=self.heads, window=self.window, steps=self.steps)


VARIANTS = (
    Variant(1, 1, 2),
    Variant(2, 1, 2),
    Variant(3, 1, 2),
    Variant(3, 2, 2),
    Variant(3, 4, 2),
    Variant(3, 8, 2),
    Variant(3, 1, 4),
    Variant(3, 4, 4),
    Variant(3, 1, 8),
    Variant(3, 4, 8),
)


def _windowed(kind: type[Attention]) -> Mixer:
    return lambda width: kind(width, window=3)


COMPARED: dict[str, Mixer] = {
    **OTHERS,
    "softmax attention, window 3": _windowed(Attention),
    "linear attention, window 3": _windowed(LinearAttentionMixer),
    "gated delta rule, window 3": _windowed(GatedDeltaRule),
}
MIXERS = {variant.name: variant.mixer() for variant in VARIANTS} | COMPARED


def measure(context: ExperimentContext) -> Numbers:
    """Train every model at every rate, and the best rate with every seed."""
    sizes, names = context.sizes, [variant.name for variant in VARIANTS]
    sweep = partial(sweep_rates, steps=sizes.sequence_steps, seeds=sizes.sequence_seeds)
    found = run_all(sweep, [*names, *COMPARED], sizes.processes)
    ours = [{**asdict(variant), **row} for variant, row in zip(VARIANTS, found, strict=False)]
    return {"layer": ours, "others": found[len(names) :], "optimizer_steps": sizes.sequence_steps}


def sweep_rates(name: str, *, steps: int, seeds: int) -> Numbers:
    """Train one model at every rate, and the best rate with every seed."""
    mixer = MIXERS[name]
    by_rate = {rate: _train(mixer, rate, steps, 0) for rate in RATES}
    rate = max(by_rate, key=lambda rate: by_rate[rate])
    accuracy = [by_rate[rate], *(_train(mixer, rate, steps, seed) for seed in range(1, seeds))]
    by_name = {f"{rate:g}": found for rate, found in by_rate.items()}
    return {"name": name, "rate": rate, "accuracy": accuracy, "by_rate": by_name}


def _train(mixer: Mixer, rate: float, steps: int, seed: int) -> float:
    """Return the accuracy on fresh sequences."""
    torch.manual_seed(seed)
    model = build(mixer, nn.Embedding(VOCABULARY, WIDTH), WIDTH, 1, VOCABULARY)
    generator = torch.Generator().manual_seed(1_000 + seed)
    accuracy = 0.0
    for step in fit(model, draw_batch, lambda output: output[:, -PAIRS:], rate=rate, steps=steps, seed=seed):
        if step % CHECK_EVERY == 0 or step == steps:
            tokens, labels = draw_batch(generator, TEST)
            with torch.no_grad():
                accuracy = (model(tokens)[:, -PAIRS:].argmax(-1) == labels).float().mean().item()
            if accuracy >= ENOUGH:
                break
    return round(accuracy, 4)


def draw_batch(generator: torch.Generator, batch: int = BATCH) -> tuple[Tensor, Tensor]:
    """Draw tokens (B, 3 · pairs), whose last third are the keys again, and their values."""
    half = VOCABULARY // 2
    key = torch.rand(batch, half, generator=generator).argsort(1)[:, :PAIRS]
    value = torch.randint(half, VOCABULARY, (batch, PAIRS), generator=generator)
    order = torch.rand(batch, PAIRS, generator=generator).argsort(1)
    pairs = torch.stack([key, value], 2).flatten(1)
    return torch.cat([pairs, key.gather(1, order)], 1), value.gather(1, order)


def draw(numbers: Numbers) -> Figure:
    """Draw the accuracy of every seed, a row for each model."""
    drawing, (left, right) = figure(2, width=11, height=4.6)
    _rows(left, {row["name"]: row for row in numbers["layer"]})
    _rows(right, {row["name"]: row for row in numbers["others"]})
    left.set_title("the layer")
    right.set_title("other models")
    return drawing


def _rows(axes: Axes, rows: dict[str, Numbers]) -> None:
    axes.axvline(GOAL, color=SOFT, linestyle=":")
    for place, row in enumerate(rows.values()):
        axes.plot(row["accuracy"], [place] * len(row["accuracy"]), "o", color=BLUES[2], alpha=0.7)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.set(xlim=(-0.03, 1.03), xlabel="accuracy of every seed (higher is better)")


def tables(numbers: Numbers) -> list[ReportTable]:
    """List all models with the accuracy of every seed."""
    rows = [
        [
            row["name"],
            f"{row['rate']:g}",
            f"{min(row['accuracy']):.3f}",
            ", ".join(f"{one:.3f}" for one in row["accuracy"]),
        ]
        for row in (*numbers["layer"], *numbers["others"])
    ]
    head = ["model", "learning rate", "lowest", "every seed"]
    return [ReportTable("Accuracy", head, rows)]


def claims(numbers: Numbers) -> list[Verdict]:
    """Judge the lowest accuracy with a window, and the largest loss of accuracy by further steps."""
    mean = {(row["window"], row["heads"], row["steps"]): _mean(row["accuracy"]) for row in numbers["layer"]}
    lowest = {
        heads: min(min(row["accuracy"]) for row in numbers["layer"] if row["window"] > 1 and row["heads"] == heads)
        for _, heads, _ in mean
    }
    lost = max(
        mean[window, heads, fewer] - mean[window, heads, steps]
        for window, heads, steps in mean
        for fewer in range(1, steps)
        if (window, heads, fewer) in mean
    )
    how = f"{len(numbers['layer'][0]['accuracy'])} seeds"
    return [
        *(
            at_least(ANY_SEQUENCE, how, f"recall with a window, {heads} heads: worst seed of any K", accuracy, GOAL)
            for heads, accuracy in lowest.items()
        ),
        at_most(ANY_SEQUENCE, how, "recall: accuracy lost by more steps, worst pair of means", lost, NOISE),
    ]


def _mean(accuracy: list[float]) -> float:
    return sum(accuracy) / len(accuracy)


def finding(numbers: Numbers) -> str:
    """Compare windows and steps by the lowest accuracy over seeds."""
    lowest = {(row["window"], row["steps"], row["heads"]): min(row["accuracy"]) for row in numbers["layer"]}
    by_steps = ", ".join(
        f"{lowest[variant.window, variant.steps, variant.heads]:.3f} with K = {variant.steps}"
        for variant in VARIANTS
        if variant.window == 3 and variant.heads == 2
    )
    by_heads = ", ".join(
        f"{lowest[3, 1, heads]:.3f} and {lowest[3, 4, heads]:.3f} with {heads} heads" for heads in (4, 8)
    )
    others = ", ".join(f"{row['name']} {min(row['accuracy']):.3f}" for row in numbers["others"])
    return (
        f"By the worst of its seeds, the layer recalls {lowest[1, 1, 2]:.3f} of the values without a window and "
        f"{lowest[2, 1, 2]:.3f} with a window of two; with three, {by_steps}; one and four steps have {by_heads}. "
        f"Others: {others}."
    )
