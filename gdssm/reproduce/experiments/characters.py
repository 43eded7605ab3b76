"""A model of the characters of this repository's texts."""

from functools import lru_cache, partial
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from gdssm.reproduce.claims import Verdict, at_most
from gdssm.reproduce.drawing import figure
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.plot_style import BLUES, INK, SOFT
from gdssm.reproduce.processes import run_all
from gdssm.reproduce.sequence_models import ANY_SEQUENCE, OTHERS, Batches, Mixer, Size, build, fit, layer, size_of

ROOT = Path(__file__).parents[3]
LENGTH, BATCH, TEST = 64, 16, 128
WEIGHTS = 71_500
"""Of every model, within 1 %: widths are chosen by it."""
TITLE = "Characters of this repository"
SETUP = (
    "The sources of gdssm and, in a checkout, its documents; characters beyond the 95 printable ones of ASCII are one "
    f"class. The last tenth of each file is the test. Two blocks, 250 steps of {BATCH} pieces of {LENGTH} characters, "
    "two learning rates (0.005, 0.015) with one seed, the better one with all seeds."
)
RATES = (0.005, 0.015)
VOCABULARY, GOAL = 97, 1.02
SOFTMAX, OURS, DEEP = "softmax attention", "layer with diagonal path", "layer with diagonal path, K = 4"
MIXERS: dict[str, Mixer] = {
    OURS: layer(diagonal=True),
    DEEP: layer(diagonal=True, steps=4),
    **OTHERS,
}


def measure(context: ExperimentContext) -> Numbers:
    """Train every model at every rate, and the best rate with every seed."""
    sizes, parts = context.sizes, texts()
    sweep = partial(sweep_rates, steps=sizes.character_steps, seeds=sizes.sequence_seeds)
    return {
        "models": run_all(sweep, list(MIXERS), sizes.processes),
        "characters": [len(part) for part in parts],
        "optimizer_steps": sizes.character_steps,
    }


def sweep_rates(name: str, *, steps: int, seeds: int) -> Numbers:
    """Train one model at every rate, and the best rate with every seed."""
    parts = texts()
    by_rate = {rate: _train(name, rate, steps, 0, parts) for rate in RATES}
    rate = min(by_rate, key=lambda rate: by_rate[rate])
    loss = [by_rate[rate], *(_train(name, rate, steps, seed, parts) for seed in range(1, seeds))]
    weights = sum(weight.numel() for weight in model_of(name).parameters())
    return {
        "name": name,
        "weights": weights,
        "rate": rate,
        "by_rate": {f"{rate:g}": found for rate, found in by_rate.items()},
        "loss": loss,
    }


def texts() -> tuple[Tensor, Tensor]:
    """Return characters to train on and for the test, as numbers below `VOCABULARY`."""
    paths = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("gdssm/**/*.py"), *ROOT.glob("gdssm/*.md")])
    files = [torch.tensor([_number(character) for character in path.read_text("utf-8")]) for path in paths]
    cuts = [len(file) * 9 // 10 for file in files]
    return (
        torch.cat([file[:cut] for file, cut in zip(files, cuts, strict=True)]),
        torch.cat([file[cut:] for file, cut in zip(files, cuts, strict=True)]),
    )


def _number(character: str) -> int:
    code = ord(character)
    return 0 if character == "\n" else code - 31 if 32 <= code < 127 else 96


def draw_from(text: Tensor, batch: int = BATCH) -> Batches:
    """Draw pieces of a text, and the character after each of theirs."""

    def draw_batch(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        start = torch.randint(len(text) - LENGTH, (batch, 1), generator=generator)
        pieces = text[start + torch.arange(LENGTH + 1)]
        return pieces[:, :-1], pieces[:, 1:]

    return draw_batch


def model_of(name: str) -> nn.Module:
    """Make a model with random weights, as many as the others have."""
    return _sized(name, _size(name))


def _sized(name: str, size: Size) -> nn.Module:
    embedding = nn.Embedding(VOCABULARY, size.width)
    return build(MIXERS[name], embedding, size.width, 2, VOCABULARY, hidden=size.hidden)


@lru_cache
def _size(name: str) -> Size:
    with torch.random.fork_rng(devices=[]):
        return size_of(WEIGHTS, partial(_sized, name))


def _train(name: str, rate: float, steps: int, seed: int, parts: tuple[Tensor, Tensor]) -> float:
    """Return the loss of the test, in nats a character."""
    torch.manual_seed(seed)
    model = model_of(name)
    for _ in fit(model, draw_from(parts[0]), lambda output: output, rate=rate, steps=steps, seed=seed):
        pass
    tokens, labels = draw_from(parts[1], TEST)(torch.Generator().manual_seed(0))
    with torch.no_grad():
        loss = nn.functional.cross_entropy(model(tokens).flatten(0, 1), labels.flatten())
    return round(loss.item(), 4)


def draw(numbers: Numbers) -> Figure:
    """Draw the loss of every seed, a row for each model."""
    drawing, (axes,) = figure(1, width=8, height=3.4)
    axes.axvline(GOAL * _mean(numbers, SOFTMAX), color=SOFT, linestyle=":")
    for place, row in enumerate(numbers["models"]):
        color = BLUES[2] if row["name"] in {OURS, DEEP} else INK
        axes.plot(row["loss"], [place] * len(row["loss"]), "o", color=color, alpha=0.7)
    axes.set_yticks(
        range(len(numbers["models"])), [f"{row['name']}  ({row['weights']:,})" for row in numbers["models"]]
    )
    axes.invert_yaxis()
    axes.set_xlabel("test loss of every seed, nats a character (lower is better); in brackets, weights")
    return drawing


def _mean(numbers: Numbers, name: str) -> float:
    losses: list[float] = next(row["loss"] for row in numbers["models"] if row["name"] == name)
    return sum(losses) / len(losses)


def tables(numbers: Numbers) -> list[ReportTable]:
    """List all models with the loss of every seed."""
    rows = [
        [
            row["name"],
            str(row["weights"]),
            f"{row['rate']:g}",
            f"{_mean(numbers, row['name']):.3f}",
            f"{_mean(numbers, row['name']) / _mean(numbers, SOFTMAX):.3f}",
            ", ".join(f"{one:.3f}" for one in row["loss"]),
        ]
        for row in numbers["models"]
    ]
    head = ["model", "weights", "learning rate", "mean", "relative to softmax", "every seed"]
    return [ReportTable("Test loss, nats a character", head, rows)]


def claims(numbers: Numbers) -> list[Verdict]:
    """Judge the loss compared with softmax attention."""
    how, softmax = f"{len(numbers['models'][0]['loss'])} seeds", _mean(numbers, SOFTMAX)
    return [
        at_most(ANY_SEQUENCE, how, f"{name}: loss on characters ÷ softmax's", _mean(numbers, name) / softmax, GOAL)
        for name in (OURS, DEEP)
    ]


def finding(numbers: Numbers) -> str:
    """Compare with softmax attention."""
    softmax = _mean(numbers, SOFTMAX)
    others = ", ".join(f"{name} {_mean(numbers, name) / softmax:.3f}" for name in OTHERS if name != SOFTMAX)
    weights = [row["weights"] for row in numbers["models"]]
    return (
        f"The layer has {_mean(numbers, OURS) / softmax:.3f} times the loss of softmax attention with one step "
        f"and {_mean(numbers, DEEP) / softmax:.3f} times with four, {softmax:.3f} nats a character. Others: {others}. "
        f"The models have {min(weights):,} to {max(weights):,} weights."
    )
