"""Every formulation of the layer as a small model that is trained from random weights, with its literal descent.

All are of five inputs, so that a run takes seconds to a minute. Each has the loss that it is trained on, the losses of
literal descent with the best rates for the tasks, and the learning rates in its weights where they can be read. Numbers
of optimizer steps were chosen on other seeds than those of the report.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gdssm.arrays import Array
from gdssm.evaluation.learners import FixedRateDescent, OnFeatures
from gdssm.evaluation.learning_rates import best_learning_rates
from gdssm.evaluation.metrics import task_losses
from gdssm.evaluation.tasks.classes import LinearClasses
from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.nonlinear import Sine
from gdssm.evaluation.tasks.task import Batch, Task
from gdssm.formulations import ConstructedTokens, gated
from gdssm.mini_batch import MiniBatchStack
from gdssm.parameter_alignment import mini_batch_rates, stack_rates
from gdssm.reproduce.fitting import fit, half_squares
from gdssm.reproduce.torch_learners import sequence_learner
from gdssm.stack import GDSSM, StackConfig
from gdssm.train.config import TrainConfig
from gdssm.train.presets import LINEAR, PRESETS

D, MINI_BATCHES = 5, 3
ONE_LAYER = replace(LINEAR, model=StackConfig(D), task=Linear(D), batch=128, steps=2000)
FREE = replace(ONE_LAYER, weight_decay=0.0, sparsity=0.0, epsilon=1e-8)
"""Without weight decay, which would pull a feature map or a head to zero."""


@dataclass(frozen=True)
class Descent:
    """Literal descent with the best rates."""

    losses: Array
    """Of every task (B,)."""
    rates: tuple[float, ...]


@dataclass(frozen=True)
class Formulation:
    """One formulation."""

    config: TrainConfig
    make: Callable[[StackConfig], nn.Module]
    """With random weights."""
    descent: Callable[[Batch, Batch], Descent]
    """From the tasks that the rates are tuned on, and those that are measured."""
    rates: Callable[[GDSSM], Array] | None = None
    """The learning rates in the weights, complex; None where the weights do not have them alone."""
    train_loss: Callable[[Tensor, Tensor], Tensor] = half_squares
    losses: Callable[[Array, Array], Array] = task_losses
    """Of every task, from predictions and the right answers."""

    def measure(self, model: nn.Module, batch: Batch) -> Array:
        """Return the losses of a trained model on every task."""
        return self.losses(sequence_learner(model).predict(batch.x, batch.y, batch.x_query), batch.y_query)


def steps(count: int) -> Callable[[Batch, Batch], Descent]:
    """Full-batch steps with the best rate each."""

    def descend(sample: Batch, batch: Batch) -> Descent:
        rates = best_learning_rates(sample, count)
        prediction = FixedRateDescent(rates, count).predict(batch.x, batch.y, batch.x_query)
        return Descent(task_losses(prediction, batch.y_query), rates)

    return descend


def mini_batch_steps(sample: Batch, batch: Batch) -> Descent:
    """One step for each mini-batch, with the best rate each."""
    rates = np.zeros(MINI_BATCHES)
    for _ in range(MINI_BATCH_SWEEPS):
        for place in range(MINI_BATCHES):
            rates[place] = _best_at(place, rates, sample)
    return Descent(task_losses(mini_batch_predictions(rates, batch), batch.y_query), tuple(rates.tolist()))


MINI_BATCH_SWEEPS = 30
"""Passes over the rates, each the exact minimum for one of them: the prediction is linear in it."""


def _best_at(place: int, rates: Array, sample: Batch) -> float:
    without, unit = rates.copy(), rates.copy()
    without[place], unit[place] = 0.0, 1.0
    offset = mini_batch_predictions(without, sample)
    slope, rest = mini_batch_predictions(unit, sample) - offset, sample.y_query - offset
    return float((slope * rest).sum() / (slope * slope).sum())


def mini_batch_predictions(rates: Sequence[float] | Array, batch: Batch) -> Array:
    """Take one step of each rate from W₀ = 0 on as many equal mini-batches, in their order."""
    W = np.zeros((len(batch.x), batch.x.shape[2], batch.y.shape[2]))
    for rate, x, y in zip(rates, np.split(batch.x, len(rates), 1), np.split(batch.y, len(rates), 1), strict=True):
        W = W + rate * (x.transpose(0, 2, 1) @ (y - x @ W)) / x.shape[1]
    predictions: Array = batch.x_query @ W
    return predictions


def cross_entropies(scores: Array, y_query: Array) -> Array:
    """Return the cross-entropy of every task (B,), from scores (B, M, C) and one-hot y."""
    shifted = scores - scores.max(-1, keepdims=True)
    losses: Array = (np.log(np.exp(shifted).sum(-1)) - (shifted * y_query).sum(-1)).mean(1)
    return losses


def _cross_entropy(scores: Tensor, y_query: Tensor) -> Tensor:
    return nn.functional.cross_entropy(scores.flatten(0, 1), y_query.flatten(0, 1))


def softmax_step(sample: Batch, batch: Batch) -> Descent:
    """One step on softmax cross-entropy from W₀ = 0, where every class has probability 1/C; the best rate of a grid."""
    low, high = 0.01, 1000.0
    unit = _softmax_direction(sample)
    for _ in range(6):
        grid = np.geomspace(low, high, 41)
        best = int(np.argmin([cross_entropies(rate * unit, sample.y_query).mean() for rate in grid]))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 40)]
    rate = float(np.sqrt(low * high))
    return Descent(cross_entropies(rate * _softmax_direction(batch), batch.y_query), (rate,))


def _softmax_direction(batch: Batch) -> Array:
    """The scores after a step of rate 1: the negative gradient is mean x (y − 1/C)ᵀ."""
    residual = batch.y - 1 / batch.y.shape[2]
    scores: Array = batch.x_query @ (batch.x.transpose(0, 2, 1) @ residual) / batch.x.shape[1]
    return scores


def ideal_features(x: Array) -> Array:
    """Return (sin x, cos x), in which a sine is linear."""
    return np.concatenate([np.sin(x), np.cos(x)], -1)


def on_ideal_features(sample: Batch, count: int) -> OnFeatures:
    """Make descent on (sin x, cos x), with the best rate for each step."""
    features = Batch(ideal_features(sample.x), sample.y, ideal_features(sample.x_query), sample.y_query)
    return OnFeatures(FixedRateDescent(best_learning_rates(features, count), count), ideal_features)


def _feature_step(sample: Batch, batch: Batch) -> Descent:
    learner = on_ideal_features(sample, 1)
    prediction = learner.predict(batch.x, batch.y, batch.x_query)
    return Descent(task_losses(prediction, batch.y_query), ())


def _several(layers: int, optimizer_steps: int, **options: Any) -> Formulation:  # noqa: ANN401  (of the configuration)
    preset = PRESETS[f"linear-{layers}step-trained"]
    config = replace(preset, model=StackConfig(D, layers=layers), task=Linear(D), steps=optimizer_steps, **options)
    return Formulation(config, GDSSM, steps(layers), stack_rates)


def _on(task: Task, model: StackConfig, config: TrainConfig, **options: Any) -> TrainConfig:  # noqa: ANN401
    return replace(config, task=task, model=model, **options)


FORMULATIONS: dict[str, Formulation] = {
    "one step, scalar y": Formulation(ONE_LAYER, GDSSM, steps(1), stack_rates),
    "one step, vector y": Formulation(_on(Linear(D, 3), StackConfig(D, 3), ONE_LAYER), GDSSM, steps(1), stack_rates),
    "one step, P = a bᵀ": Formulation(ONE_LAYER, gated, steps(1), stack_rates),
    "one step, constructed tokens": Formulation(
        replace(ONE_LAYER, feature_learning_rate=0.02), lambda model: ConstructedTokens(model.inputs), steps(1)
    ),
    "two steps": _several(2, 5000, batch=128, settle=0.2),
    "five steps": _several(5, 10_000, batch=128, settle=0.2),
    "three mini-batches": Formulation(
        _on(
            Linear(D),
            StackConfig(D, layers=MINI_BATCHES),
            PRESETS["linear-5step-trained"],
            observations=15,
            batch=128,
            steps=2000,
        ),
        MiniBatchStack,
        mini_batch_steps,
        mini_batch_rates,
    ),
    "cross-entropy": Formulation(
        _on(LinearClasses(D, 3), StackConfig(D, 3), ONE_LAYER, weight_decay=0.0, sparsity=0.0),
        GDSSM,
        softmax_step,
        train_loss=_cross_entropy,
        losses=cross_entropies,
    ),
    "one step on learnt features": Formulation(
        _on(Sine(), StackConfig(1, feature_widths=(32, 32, 8)), PRESETS["sine-trained"], batch=128, steps=2500),
        GDSSM,
        _feature_step,
    ),
    "one step and a gated head": Formulation(
        _on(Linear(D), StackConfig(D, head_width=8), FREE, steps=2000, feature_learning_rate=0.01), GDSSM, steps(1)
    ),
}


def train(name: str, seed: int, optimizer_steps: int | None = None) -> nn.Module:
    """Train a formulation from a seed, in double precision at the end."""
    formulation = FORMULATIONS[name]
    config = replace(formulation.config, seed=seed, steps=optimizer_steps or formulation.config.steps)
    torch.manual_seed(seed)

    return fit(formulation.make(config.model), config, formulation.train_loss).double()
