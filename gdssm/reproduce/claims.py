"""Claims: a measured number, its target, and whether the number meets it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gdssm.evaluation.metrics import task_losses
from gdssm.reproduce.runs import Trained
from gdssm.train.evaluate import Reference, evaluate, predict

RESAMPLES = 400
CONSTRUCTED, DIFFERENCE = "constructed", "relative_difference"
"""The name of the analytic weights in place of a preset, and of their metric."""


@dataclass(frozen=True)
class Claim:
    """One measured number with its target."""

    preset: str
    """Or `CONSTRUCTED`."""
    what: str
    metric: str
    """Of `train.evaluate`, or `DIFFERENCE`."""
    relation: Literal["≤", "≥", "<"]
    target: float
    within_error: bool = False
    """Whether the 95 % interval may reach the target instead of the number: both losses are of finitely many tasks, and
    at the same optimum the sign of their difference is random."""

    def verdict(self, metrics: Mapping[str, float]) -> dict[str, Any]:
        """Compare the number with the target; NaN does not meet it."""
        measured, interval = metrics[self.metric], [f"{self.metric}_{end}" for end in ("low", "high")]
        judged = metrics[interval[0]] if self.within_error else measured
        met = {"≤": judged <= self.target, "≥": judged >= self.target, "<": judged < self.target}[self.relation]
        return {
            "preset": self.preset,
            "claim": self.what,
            "target": f"{self.relation} {self.target:g}" + (" within the 95 % interval" if self.within_error else ""),
            "measured": measured,
            "interval": [metrics[end] for end in interval if end in metrics],
            "met": met,
        }


def _one_layer(preset: str) -> list[Claim]:
    return [
        Claim(preset, "loss, relative to one gradient step with the best rate", "loss_ratio", "≤", 1.005),
        Claim(preset, "sensitivity cosine with it", "sensitivity_cosine", "≥", 0.999),
        Claim(preset, "relative prediction difference from it", "relative_prediction_difference", "≤", 0.02),
        Claim(preset, "input gate: largest other entry, relative to e₁e₂ᵀ", "input_gate_rest", "<", 0.01),
        Claim(preset, "output gate: largest other entry, relative to e₃", "output_gate_rest", "<", 0.01),
        Claim(preset, "least decay of the states in use", "least_decay", "≥", 0.995),
    ]


def _steps(layers: int) -> Claim:
    what = f"loss, relative to {layers} gradient steps with a rate each"
    return Claim(f"linear-{layers}step-trained", what, "loss_ratio", "≤", 1.0, within_error=True)


CLAIMS = (
    Claim(CONSTRUCTED, "largest relative difference from literal gradient descent", DIFFERENCE, "≤", 1e-12),
    *_one_layer("linear-trained"),
    *_one_layer("linear-vector-trained"),
    *(_steps(layers) for layers in (2, 5, 10)),
    Claim("sine-trained", "loss on sines, one layer", "loss", "≤", 0.0035),
    Claim("sine-4step-trained", "loss on sines, four layers", "loss", "≤", 0.0005),
)


def measure(runs: Mapping[str, Trained], tasks: int) -> dict[str, dict[str, float]]:
    """Evaluate every run on tasks of no training, in double precision."""
    return {
        name: {**evaluate(run.stack, run.config, tasks), **_ratio_interval(run, tasks)} for name, run in runs.items()
    }


def _ratio_interval(run: Trained, tasks: int) -> dict[str, float]:
    """Bootstrap the tasks for both losses together: the 95 % interval of their ratio."""
    reference = Reference.of(run.config, tasks)
    if reference.descent is None:
        return {}
    answers = predict(run.stack, reference.batch), reference.descent.prediction
    losses = np.stack([task_losses(answer, reference.batch.y_query) for answer in answers])
    rng = np.random.default_rng(0)
    means = [losses[:, rng.integers(0, tasks, tasks)].mean(1) for _ in range(RESAMPLES)]
    low, high = np.quantile([ours / theirs for ours, theirs in means], [0.025, 0.975])
    return {"loss_ratio_low": float(low), "loss_ratio_high": float(high)}


def verdicts(metrics: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Return the verdicts of all claims."""
    return [claim.verdict(metrics[claim.preset]) for claim in CLAIMS]
