"""Claims: every statement of the paper with the numbers that support it, their bounds, and whether they meet them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from gdssm.evaluation.metrics import task_losses
from gdssm.parameter_alignment import rates_difference, stack_rates
from gdssm.reproduce.loss_ratio import MARGIN, LossRatio
from gdssm.reproduce.runs import Trained
from gdssm.train.evaluate import Reference, evaluate, predict


@dataclass(frozen=True)
class Statement:
    """A statement of the paper."""

    text: str
    """With the version of the paper it stands in first."""
    code: str
    """The modules that implement it."""


ONE_STEP = Statement("One layer is one gradient step, for any N, D, K and W₀ (v1)", "construction, layer")
STEPS = Statement("K layers are K gradient steps (v1)", "construction.steps, model, stack")
MINI_BATCH = Statement("Mini-batch descent: several updates in one pass (v2)", "mini_batch")
LOCAL_ATTENTION = Statement("Local self-attention over the window, Xᵀ P X with any P (v1)", "input_gate, stack")
GATING = Statement("Input and output gating, P = a bᵀ (v2)", "formulations.GatedInput, output_gate")
TOKENS = Statement("Constructed tokens [x·y, x′] with a linear input gate", "formulations.ConstructedTokens")
CROSS_ENTROPY = Statement("Classification: steps on softmax cross-entropy (v3)", "cross_entropy")
ATTENTION = Statement("The layer as linear self-attention (v2)", "linear_attention")
FEATURES = Statement("Non-linear regression: steps on learnt features, and a gated head (v1)", "features")
PARAMETERS = Statement("Trained parameters are the constructed ones (v1)", "parameter_alignment")
STATEMENTS = (
    ONE_STEP,
    STEPS,
    MINI_BATCH,
    LOCAL_ATTENTION,
    GATING,
    TOKENS,
    CROSS_ENTROPY,
    ATTENTION,
    FEATURES,
    PARAMETERS,
)
"""In the order of the report; an experiment may add others."""
ROUNDING = 1e-12
"""Bound of the relative difference of a construction from literal descent."""
RATES = 0.05
"""Bound of the relative difference of a learning rate from the best one."""


@dataclass(frozen=True)
class Verdict:
    """One row: a measured number with its bound."""

    statement: Statement
    how: str
    """Constructed, or trained, and from how many seeds."""
    quantity: str
    target: str
    measured: str
    met: bool
    without_extremes: str = ""
    """Of a loss ratio, see `LossRatio`."""
    geometric: str = ""


def at_most(statement: Statement, how: str, quantity: str, value: float, bound: float) -> Verdict:
    """Compare a number with its upper bound; NaN does not meet it."""
    return Verdict(statement, how, quantity, f"≤ {bound:g}", f"{value:.3g}", value <= bound)


def at_least(statement: Statement, how: str, quantity: str, value: float, bound: float) -> Verdict:
    """Compare a number with its lower bound; NaN does not meet it."""
    return Verdict(statement, how, quantity, f"≥ {bound:g}", f"{value:.6g}", value >= bound)


def not_inferior(statement: Statement, how: str, quantity: str, runs: Sequence[Mapping[str, float]]) -> Verdict:
    """Judge the loss ratios of one run or of several seeds by the upper ends of their intervals.

    Args:
        statement: The statement of the paper.
        how: Where the model is from.
        quantity: The reference.
        runs: For each the fields of `LossRatio`.
    """
    high = [run["loss_ratio_high"] for run in runs]
    interval = (
        f" ({runs[0]['loss_ratio_low']:.4f} – {high[0]:.4f})" if len(runs) == 1 else f", upper end {max(high):.4f}"
    )
    columns = [_range([run[name] for run in runs]) for name in ("loss_ratio", "without_extremes", "geometric")]
    met = all(end <= MARGIN for end in high)
    target = f"upper end ≤ {MARGIN:g}"
    return Verdict(statement, how, f"loss ÷ {quantity}", target, columns[0] + interval, met, *columns[1:])


def best_rates(statement: Statement, how: str, differences: Sequence[float]) -> Verdict:
    """Judge the largest difference of a learning rate from the best one; all seeds must meet it."""
    worst = max(differences) if differences and not any(map(math.isnan, differences)) else math.nan
    measured = _range(differences, ".2%")
    quantity = "a learning rate's distance from the best, largest"
    return Verdict(statement, how, quantity, f"≤ {RATES:.0%}", measured, worst <= RATES)


def _range(values: Sequence[float], form: str = ".4f") -> str:
    """One value, or the least and the largest."""
    least, largest = min(values), max(values)
    return format(least, form) if len(values) == 1 else f"{least:{form}} – {largest:{form}}"


def measure(runs: Mapping[str, Trained], tasks: int) -> dict[str, dict[str, float]]:
    """Evaluate every run on tasks of no training, in double precision."""
    return {name: {**evaluate(run.stack, run.config, tasks), **_compared(run, tasks)} for name, run in runs.items()}


def _compared(run: Trained, tasks: int) -> dict[str, float]:
    """Compare the losses with those of descent on the same tasks, and the learning rates with the best ones."""
    reference = Reference.of(run.config, tasks)
    if reference.descent is None:
        return {}
    batch = reference.batch
    ours, theirs = (
        task_losses(answer, batch.y_query) for answer in (predict(run.stack, batch), reference.descent.prediction)
    )
    difference = rates_difference(stack_rates(run.stack), reference.rates)
    return {**asdict(LossRatio.of(ours, theirs, batch.x)), "rates_difference": difference}


def of_presets(metrics: Mapping[str, Mapping[str, float]]) -> list[Verdict]:
    """Return the verdicts on the runs of the presets."""
    one = [verdict for preset in ("linear-trained", "linear-vector-trained") for verdict in _one_layer(preset, metrics)]
    several = [verdict for layers in (2, 5, 10) for verdict in _several(layers, metrics)]
    sines = {"sine-trained": ("one layer", 0.0035), "sine-4step-trained": ("four layers", 0.0005)}
    return [
        *one,
        *several,
        *(
            at_most(FEATURES, preset, f"loss on sines, {layers}", metrics[preset]["loss"], bound)
            for preset, (layers, bound) in sines.items()
        ),
    ]


def _one_layer(preset: str, metrics: Mapping[str, Mapping[str, float]]) -> list[Verdict]:
    found = metrics[preset]
    return [
        not_inferior(LOCAL_ATTENTION, preset, "one gradient step's", [found]),
        at_least(LOCAL_ATTENTION, preset, "sensitivity cosine with it", found["sensitivity_cosine"], 0.999),
        at_most(
            LOCAL_ATTENTION, preset, "relative prediction difference", found["relative_prediction_difference"], 0.02
        ),
        at_most(PARAMETERS, preset, "input gate: largest other entry ÷ e₁e₂ᵀ", found["input_gate_rest"], 0.01),
        at_most(PARAMETERS, preset, "output gate: largest other entry ÷ e₃", found["output_gate_rest"], 0.01),
        at_least(PARAMETERS, preset, "least decay of the states in use", found["least_decay"], 0.995),
        best_rates(PARAMETERS, preset, [found["rates_difference"]]),
    ]


def _several(layers: int, metrics: Mapping[str, Mapping[str, float]]) -> list[Verdict]:
    preset = f"linear-{layers}step-trained"
    found = metrics[preset]
    return [
        not_inferior(STEPS, preset, f"{layers} gradient steps'", [found]),
        best_rates(PARAMETERS, preset, [found["rates_difference"]]),
    ]
