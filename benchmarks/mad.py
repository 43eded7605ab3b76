"""Two recall tasks of the MAD suite (Poli et al. 2024) for `gdssm.sequence`, on a card.

A sequence is pairs of a key and a value; a key has one value within a sequence. In noisy recall a fifth of the pairs is
two tokens of noise. The model learns the next token of 12,800 sequences in 200 epochs; its accuracy is that of the
values of keys that came before, in other sequences. The protocol's sizes (two blocks of width 128, batches of 128,
AdamW); of its six learning rates and weight decays one, and of its settings of difficulty the first.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.gpu import synchronize
from benchmarks.results import Goal, Result, Skipped, Table, hardware
from gdssm.sequence.language_model import LanguageModel
from gdssm.sequence.layer import SequenceConfig

TARGET_ACCURACY, TARGET_WEIGHTS, TARGET_MINUTES = 0.75, 450_000, 8.0
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 0.1
LAYER = SequenceConfig(width=128, heads=8, window=3, steps=4, diagonal=True)
REASON = "One learning rate and weight decay of the six of the protocol."


@dataclass(frozen=True)
class Recall:
    """A task: keys and values, and tokens of noise after them in the vocabulary."""

    pairs: int = 64
    """Of a sequence; the last one asks for a key that came before."""
    keys: int = 8
    """As many as values."""
    noise_tokens: int = 0
    noise: float = 0.0
    """Share of the pairs that are noise."""

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return 2 * self.keys + self.noise_tokens


class Sequences(NamedTuple):
    """Tokens, and which of them are values of keys that came before."""

    tokens: Tensor
    """(B, 2 · pairs)."""
    recalled: Tensor
    """(B, 2 · pairs)."""


TASKS: Mapping[str, Recall] = {
    "in-context recall": Recall(),
    "noisy in-context recall": Recall(noise_tokens=16, noise=0.2),
}


@dataclass(frozen=True)
class Sizes:
    """Sizes of a run."""

    sequences: int = 12_800
    tested: int = 1_280
    batch: int = 128
    epochs: int = 200
    layer: SequenceConfig = LAYER


QUICK = Sizes(8, 4, 4, 2, SequenceConfig(width=8, heads=2, steps=2, diagonal=True))


@dataclass(frozen=True)
class Trained:
    """A task after training."""

    task: str
    accuracy: float
    weights: int
    seconds: float


def draw(task: Recall, count: int, generator: torch.Generator) -> Sequences:
    """Draw sequences of a task, on the device of the generator."""
    device, shape = generator.device, (count, task.pairs)

    def integers(low: int, high: int, size: tuple[int, ...]) -> Tensor:
        return torch.randint(low, high, size, generator=generator, device=device)

    noisy = torch.rand(shape, generator=generator, device=device) < task.noise
    noisy[:, 0] = noisy[:, -1] = False
    key, value_of = integers(0, task.keys, shape), integers(task.keys, 2 * task.keys, (count, task.keys))
    asked = torch.multinomial((~noisy[:, :-1]).float(), 1, generator=generator)
    key[:, -1:] = key.gather(1, asked)
    pair = torch.stack([key, value_of.gather(1, key)], 2)
    if task.noise:
        drawn = integers(2 * task.keys, task.vocabulary, tuple(pair.shape))
        pair = torch.where(noisy[..., None], drawn, pair)
    same = (key[:, :, None] == key[:, None, :]) & ~noisy[:, None, :] & ~noisy[:, :, None]
    known = same.tril(-1).any(2)
    return Sequences(pair.flatten(1), torch.stack([torch.zeros_like(known), known], 2).flatten(1))


def train(name: str, task: Recall, sizes: Sizes, device: torch.device) -> Trained:
    """Train on the sequences of a task and return the accuracy on others."""
    generator = torch.Generator(device).manual_seed(0)
    tokens, tested = draw(task, sizes.sequences, generator).tokens, draw(task, sizes.tested, generator)
    torch.manual_seed(0)
    model = LanguageModel(task.vocabulary, 2, sizes.layer).to(device)
    weights, start = sum(weight.numel() for weight in model.parameters()), time.perf_counter()
    predict = _captured(model, tokens[: sizes.batch, :-1])
    adam = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
    steps = sizes.epochs * (sizes.sequences // sizes.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: 0.5 * (1 + math.cos(math.pi * step / steps)))
    for _ in range(sizes.epochs):
        order = torch.randperm(sizes.sequences, generator=generator, device=device)
        for chosen in torch.split(order, sizes.batch):
            batch = tokens[chosen]
            loss = nn.functional.cross_entropy(predict(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
            adam.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            schedule.step()
    synchronize(device)
    seconds = time.perf_counter() - start
    return Trained(name, accuracy(model.eval(), tested), weights, seconds)


def _captured(model: nn.Module, example: Tensor) -> Callable[[Tensor], Tensor]:
    """Capture forward and backward as CUDA graphs, on a card; in evaluation the model runs as before."""
    if example.device.type != "cuda":
        return model
    captured: Callable[[Tensor], Tensor] = torch.cuda.make_graphed_callables(model, (example.contiguous(),))  # type: ignore[assignment]  # a module
    return captured


@torch.no_grad()
def accuracy(model: Callable[[Tensor], Tensor], tested: Sequences) -> float:
    """Return the share of recalled values that are predicted."""
    right = model(tested.tokens[:, :-1]).argmax(-1) == tested.tokens[:, 1:]
    return float(right[tested.recalled[:, 1:]].double().mean())


def run(*, quick: bool) -> Result:
    """Train on both tasks and report; a quick run without a card trains on the processor.

    Raises:
        Skipped: There is no card.
    """
    if not torch.cuda.is_available() and not quick:
        raise Skipped("torch finds no CUDA device.")
    device = torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    sizes = QUICK if quick else Sizes()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return report([train(task, TASKS[task], sizes, device) for task in TASKS], name, measured=device.type == "cuda")


def report(trained: list[Trained], device: str, *, measured: bool) -> Result:
    """Lay out the accuracies; without a card the goals are not measured."""
    mean = sum(run.accuracy for run in trained) / len(trained)
    weights, minutes = max(run.weights for run in trained), sum(run.seconds for run in trained) / 60
    goals = (
        ("mean accuracy", f"≥ {TARGET_ACCURACY}", f"{mean:.3f}", mean >= TARGET_ACCURACY),
        ("weights", f"≤ {TARGET_WEIGHTS:,}", f"{weights:,}", weights <= TARGET_WEIGHTS),
        ("time", f"≤ {TARGET_MINUTES:g} minutes", f"{minutes:.1f} minutes", minutes <= TARGET_MINUTES),
    )
    rows = [[run.task, f"{run.accuracy:.4f}", f"{run.weights:,}", f"{run.seconds:.0f} s"] for run in trained]
    return Result(
        title="Recall tasks of the MAD suite",
        method=__doc__ or "",
        tables=[Table(f"On {device}:", ["task", "accuracy", "weights", "time"], rows)],
        goals=[Goal(*goal[:3], goal[3] if measured else None, REASON) for goal in goals],
        numbers={"device": device, "trained": [asdict(run) for run in trained]},
        measured=f"{device}; {hardware()}",
    )
