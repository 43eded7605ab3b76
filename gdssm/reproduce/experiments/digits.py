"""Digits as sequences of rows, with and without the diagonal path."""

from functools import partial

import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor, nn

from gdssm.reproduce.claims import Verdict, at_least
from gdssm.reproduce.drawing import figure
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.plot_style import BLUES, INK, SOFT
from gdssm.reproduce.processes import run_all
from gdssm.reproduce.sequence_models import ANY_SEQUENCE, OTHERS, Batches, Mixer, build, fit, layer

WIDTH, BATCH, TRAINED_ON = 32, 64, 1_437
TITLE = "Digits, row by row"
SETUP = (
    "The 1,797 images of 8 × 8 of scikit-learn, each a sequence of eight rows; the class is read after the last one. "
    f"{TRAINED_ON:,} train, the other 360 are the test. Two blocks of width {WIDTH}, 800 steps of {BATCH} images, "
    "two learning rates (0.003, 0.01) with one seed on 237 images held out of training, the better one with all seeds."
)
RATES = (0.003, 0.01)
HELD_OUT, GOAL = 237, 0.97
WITH, DEEP, WITHOUT = "layer with diagonal path", "layer with diagonal path, K = 4", "layer"
MIXERS: dict[str, Mixer] = {
    WITH: layer(diagonal=True),
    DEEP: layer(diagonal=True, steps=4),
    WITHOUT: layer(),
    **OTHERS,
}


def measure(context: ExperimentContext) -> Numbers:
    """Train every model at every rate, and the best rate with every seed."""
    sizes = context.sizes
    sweep = partial(sweep_rates, steps=sizes.digit_steps, seeds=sizes.sequence_seeds)
    return {"models": run_all(sweep, list(MIXERS), sizes.processes), "optimizer_steps": sizes.digit_steps}


def sweep_rates(name: str, *, steps: int, seeds: int) -> Numbers:
    """Train one model at every rate, and the best rate with every seed."""
    mixer = MIXERS[name]
    rows, labels = images()
    rest = TRAINED_ON - HELD_OUT
    held_out = {
        rate: _accuracy(
            _train(mixer, rate, steps, 0, draw_from(rows[:rest], labels[:rest])),
            rows[rest:TRAINED_ON],
            labels[rest:TRAINED_ON],
        )
        for rate in RATES
    }
    rate = max(held_out, key=lambda rate: held_out[rate])
    train = draw_from(rows[:TRAINED_ON], labels[:TRAINED_ON])
    models = [_train(mixer, rate, steps, seed, train) for seed in range(seeds)]
    accuracy = [_accuracy(model, rows[TRAINED_ON:], labels[TRAINED_ON:]) for model in models]
    weights = sum(weight.numel() for weight in models[0].parameters())
    by_rate = {f"{rate:g}": found for rate, found in held_out.items()}
    return {"name": name, "weights": weights, "rate": rate, "held_out": by_rate, "accuracy": accuracy}


def images() -> tuple[Tensor, Tensor]:
    """Return rows (1797, 8, 8), from 0 to 1, and labels in a fixed random order."""
    found = load_digits()
    order = torch.randperm(len(found.target), generator=torch.Generator().manual_seed(0))
    rows = torch.from_numpy(found.images).to(torch.get_default_dtype()) / 16.0
    return rows[order], torch.from_numpy(found.target)[order]


def draw_from(rows: Tensor, labels: Tensor) -> Batches:
    """Draw batches of images with replacement."""

    def draw_batch(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(rows), (BATCH,), generator=generator)
        return rows[chosen], labels[chosen]

    return draw_batch


def _train(mixer: Mixer, rate: float, steps: int, seed: int, batches: Batches) -> nn.Module:
    torch.manual_seed(seed)
    model = build(mixer, nn.Linear(8, WIDTH), WIDTH, 2, 10)
    for _ in fit(model, batches, lambda output: output[:, -1], rate=rate, steps=steps, seed=seed):
        pass
    return model


def _accuracy(model: nn.Module, rows: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        accuracy: float = (model(rows)[:, -1].argmax(-1) == labels).float().mean().item()
    return round(accuracy, 4)


def draw(numbers: Numbers) -> Figure:
    """Draw the accuracy of every seed, a row for each model."""
    drawing, (axes,) = figure(1, width=8, height=3.6)
    axes.axvline(GOAL, color=SOFT, linestyle=":")
    names = [f"{row['name']}  ({row['weights']:,})" for row in numbers["models"]]
    for place, row in enumerate(numbers["models"]):
        color = BLUES[2] if row["name"].startswith(WITHOUT) else INK
        axes.plot(row["accuracy"], [place] * len(row["accuracy"]), "o", color=color, alpha=0.7)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("test accuracy of every seed (higher is better); in brackets, weights")
    return drawing


def tables(numbers: Numbers) -> list[ReportTable]:
    """List all models with the accuracy of every seed."""
    rows = [
        [
            row["name"],
            str(row["weights"]),
            f"{row['rate']:g}",
            f"{_mean(numbers, row['name']):.4f}",
            ", ".join(f"{one:.4f}" for one in row["accuracy"]),
        ]
        for row in numbers["models"]
    ]
    head = ["model", "weights", "learning rate", "mean", "every seed"]
    return [ReportTable("Test accuracy", head, rows)]


def _mean(numbers: Numbers, name: str) -> float:
    accuracy: list[float] = next(row["accuracy"] for row in numbers["models"] if row["name"] == name)
    return sum(accuracy) / len(accuracy)


def claims(numbers: Numbers) -> list[Verdict]:
    """Judge the accuracy with the diagonal path."""
    how = f"{len(numbers['models'][0]['accuracy'])} seeds"
    return [
        at_least(ANY_SEQUENCE, how, f"{name}: accuracy on rows of digits, mean", _mean(numbers, name), GOAL)
        for name in (WITH, DEEP)
    ]


def finding(numbers: Numbers) -> str:
    """Compare with and without the diagonal path, and with the other models."""
    mean = {name: _mean(numbers, name) for name in MIXERS}
    others = ", ".join(f"{name} {mean[name]:.3f}" for name in OTHERS)
    return (
        f"In the mean of its seeds the layer with a diagonal path has an accuracy of {mean[WITH]:.3f} with one step "
        f"and {mean[DEEP]:.3f} with four, without the path {mean[WITHOUT]:.3f}. Others: {others}."
    )
