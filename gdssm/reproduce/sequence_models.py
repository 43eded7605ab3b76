"""Sequence models to compare with the layer: one frame, other mixers of positions, one training loop.

Every model is the same residual blocks with a gated perceptron; only the mixer differs.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from gdssm.baselines.recurrent import DiagonalMixer
from gdssm.baselines.sequence import Residual
from gdssm.reproduce.claims import Statement
from gdssm.sequence.language_model import GatedPerceptron
from gdssm.sequence.layer import SequenceConfig, SequenceLayer
from gdssm.sequence.window import CausalWindow

ANY_SEQUENCE = Statement("A general layer for sequences (beyond the paper)", "sequence")
Mixer: TypeAlias = Callable[[int], nn.Module]
"""Makes a module (B, T, H) → (B, T, H) for a width H."""
Batches: TypeAlias = Callable[[torch.Generator], tuple[Tensor, Tensor]]
"""Draws inputs and labels."""


def layer(*, diagonal: bool = False, heads: int = 2, window: int = 3, steps: int = 1) -> Mixer:
    """Choose the layer of `gdssm.sequence`."""
    return lambda width: SequenceLayer(SequenceConfig(width, heads, window, steps, diagonal))


def diagonal_ssm(width: int) -> nn.Module:
    """Return a diagonal state-space model with as many complex states as features."""
    return DiagonalMixer(width, width)


class GRUMixer(nn.Module):
    """The states of `torch.nn.GRU` at every position.

    Args:
        width: H.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.recurrent = nn.GRU(width, width, batch_first=True)

    def forward(self, positions: Tensor) -> Tensor:
        """Map (B, T, H) to (B, T, H)."""
        states: Tensor = self.recurrent(positions)[0]
        return states


class Attention(nn.Module):
    """Causal attention with softmax and rotary positions (Su et al. 2021).

    Args:
        width: H.
        heads: A.
        window: Positions that queries, keys and values are formed of.
    """

    def __init__(self, width: int, heads: int = 2, window: int = 1) -> None:
        super().__init__()
        self.heads = heads
        self.enter = nn.Linear(width, 3 * width, bias=False)
        self.window = CausalWindow(3 * width, window, previous=slice(width, 2 * width))
        self.norm = nn.RMSNorm(width // heads, eps=1e-5)
        self.leave = nn.Linear(width, width, bias=False)

    def forward(self, positions: Tensor) -> Tensor:
        """Map (B, T, H) to (B, T, H)."""
        batch, length, width = positions.shape
        past = positions.new_zeros(batch, len(self.window.weight) - 1, 3 * width)
        run = torch.zeros(batch, length, dtype=torch.long, device=positions.device)
        projected, _ = self.window(self.enter(positions), past, run)
        query, key, value = projected.reshape(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = self.mix(query, key, value, positions).transpose(1, 2).flatten(2)
        answer: Tensor = self.leave(mixed)
        return answer

    def mix(self, query: Tensor, key: Tensor, value: Tensor, positions: Tensor) -> Tensor:  # noqa: ARG002
        """Return the values (B, A, T, D) that every position reads."""
        return nn.functional.scaled_dot_product_attention(rotate(query), rotate(key), value, is_causal=True)


class LinearAttentionMixer(Attention):
    """Without softmax, with features elu + 1 (Katharopoulos et al. 2020)."""

    def mix(self, query: Tensor, key: Tensor, value: Tensor, positions: Tensor) -> Tensor:  # noqa: ARG002
        """See `Attention.mix`."""
        query, key = (nn.functional.elu(part) + 1.0 for part in (query, key))
        weight = (query @ key.mT).tril()
        return weight @ value / weight.sum(-1, keepdim=True)


class GatedDeltaRule(Attention):
    """S_t = α_t S_{t−1} (I − β_t k_t k_tᵀ) + β_t v_t k_tᵀ (Yang et al. 2025), all positions by one triangular system.

    Args:
        width: H.
        heads: A.
        window: Positions that queries, keys and values are formed of.
    """

    def __init__(self, width: int, heads: int = 2, window: int = 1) -> None:
        super().__init__(width, heads, window)
        self.write = nn.Linear(width, 2 * heads)
        with torch.no_grad():
            self.write.bias[heads:] = torch.linspace(3.0, 7.0, heads)

    def mix(self, query: Tensor, key: Tensor, value: Tensor, positions: Tensor) -> Tensor:
        """See `Attention.mix`."""
        strength, decay = self.write(positions).mT.chunk(2, 1)
        strength, age = strength.sigmoid()[..., None], nn.functional.logsigmoid(decay).cumsum(-1)
        query, key = (nn.functional.normalize(part, dim=-1) for part in (query, key))
        fade = (age[..., :, None] - age[..., None, :]).tril().exp()
        system = (strength * fade * (key @ key.mT)).tril(-1)
        written = torch.linalg.solve_triangular(system, strength * value, upper=False, unitriangular=True)
        read: Tensor = self.norm((fade * (query @ key.mT)).tril() @ written)
        return read


def rotate(features: Tensor) -> Tensor:
    """Rotate pairs of features (…, T, D) by angles that grow with the position."""
    length, size = features.shape[-2:]
    rate = 10_000.0 ** -(torch.arange(size // 2) / (size // 2))
    angle = torch.arange(length)[:, None] * rate
    first, second = features.chunk(2, -1)
    return torch.cat([first * angle.cos() - second * angle.sin(), second * angle.cos() + first * angle.sin()], -1)


OTHERS: dict[str, Mixer] = {
    "softmax attention": Attention,
    "linear attention": LinearAttentionMixer,
    "gated delta rule": GatedDeltaRule,
    "diagonal SSM": diagonal_ssm,
    "GRU": GRUMixer,
}


class Size(NamedTuple):
    """Sizes of a model."""

    width: int
    """H."""
    hidden: int
    """Features of the gated perceptron of a block."""


WIDTHS = range(8, 257, 4)
"""Widths that every mixer with two heads can have."""


def size_of(weights: int, make: Callable[[Size], nn.Module]) -> Size:
    """Return the smallest width at which a model can have so many weights, with the perceptrons that it then needs.

    Args:
        weights: To reach; the model has at most one more feature of its perceptrons than they need.
        make: Makes the model of a size.
    """

    def count(size: Size) -> int:
        return sum(weight.numel() for weight in make(size).parameters())

    width = WIDTHS[bisect_left(WIDTHS, weights, key=lambda width: count(Size(width, 2 * width)))]
    choices = range(1, 2 * width)
    return Size(width, choices.start + bisect_left(choices, weights, key=lambda hidden: count(Size(width, hidden))))


def build(
    mixer: Mixer, front: nn.Module, width: int, blocks: int, outputs: int, *, hidden: int | None = None
) -> nn.Module:
    """Make a model (…) → (B, T, outputs): an embedding, blocks, a norm and a head; hidden is 2 · width if left out."""
    hidden = hidden or 2 * width
    parts = [Residual(width, part) for _ in range(blocks) for part in (mixer(width), GatedPerceptron(width, hidden))]
    return nn.Sequential(front, *parts, nn.LayerNorm(width), nn.Linear(width, outputs))


def fit(
    model: nn.Module, batches: Batches, read: Callable[[Tensor], Tensor], *, rate: float, steps: int, seed: int
) -> Iterator[int]:
    """Train on cross-entropy by AdamW with a warm-up and a cosine decay; yields the step after every one.

    Args:
        model: To train.
        batches: Of inputs and labels.
        read: From outputs (B, T, V) to those that have labels.
        rate: The largest learning rate.
        steps: Optimizer steps.
        seed: Of the batches.
    """
    generator = torch.Generator().manual_seed(seed)
    adam = torch.optim.AdamW(model.parameters(), rate, betas=(0.9, 0.95), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, rate, total_steps=steps + 1, pct_start=0.1)
    for step in range(1, steps + 1):
        inputs, labels = batches(generator)
        loss = nn.functional.cross_entropy(read(model(inputs)).flatten(0, -2), labels.flatten())
        adam.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        schedule.step()
        yield step
