"""Constructed weights compared with literal gradient descent by automatic differentiation."""

from collections.abc import Callable, Mapping

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from gdssm import construction, linear_attention, reference
from gdssm.construction import CERTAIN, place
from gdssm.cross_entropy import SAFE_STEP, CrossEntropyDescent, OneStepClassifier
from gdssm.formulations import ConstructedTokens, GatedInput, gated
from gdssm.mini_batch import MiniBatchDescent
from gdssm.model import GradientDescent
from gdssm.reproduce.claims import (
    ATTENTION,
    CROSS_ENTROPY,
    FEATURES,
    GATING,
    MINI_BATCH,
    ONE_STEP,
    ROUNDING,
    STEPS,
    TOKENS,
    Verdict,
    at_most,
)
from gdssm.reproduce.drawing import figure, logarithmic
from gdssm.reproduce.experiment import Numbers, ReportTable
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.plot_style import BLUES
from gdssm.reproduce.torch_learners import last_output
from gdssm.stack import GDSSM, StackConfig
from gdssm.window import NEXT_X, X, Y

B = 2
SIZES = ((1, 1), (5, 3), (20, 10))
"""D and K."""
TITLE = "Constructed weights are gradient descent"
SETUP = (
    "Layers with analytic weights, and steps by automatic differentiation on torch.nn.Linear: normal data and W₀, "
    "D = 1, 5, 20 and K = 1, 3, 10 (K + 1 classes), double precision; the largest difference of the three sizes."
)
LENGTHS = (1, 7, 100, 1_000, 10_000)
RATE, RATES = 0.3, [0.02 + 0.01 * k for k in range(8)]
BATCH_SIZE = 7
SMALLEST = 1e-17
"""Difference drawn in place of 0 on a logarithmic axis."""

Model = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From x (B, N, D), y (B, N, K) and x_query (B, 1, D) to predictions (B, 1, K)."""


STATEMENTS = {
    "one step from W₀ = 0": ONE_STEP,
    "one step from any W₀": ONE_STEP,
    "eight steps, the served model": STEPS,
    "eight steps, the stack that trains": STEPS,
    "one step for each mini-batch": MINI_BATCH,
    "input and output gating": GATING,
    "constructed tokens, scalar y": TOKENS,
    "linear self-attention": ATTENTION,
    "one step on cross-entropy": CROSS_ENTROPY,
    "eight steps on cross-entropy": CROSS_ENTROPY,
    "eight steps on learnt features": FEATURES,
}


def constructions(initial_weight: Tensor) -> Mapping[str, tuple[Model, Model]]:
    """Return each construction with the literal descent that it must equal.

    Args:
        initial_weight: W₀ (D, K) of those that take steps from any W₀.
    """
    (D, K), zero = initial_weight.shape, torch.zeros_like(initial_weight)
    attention = linear_attention.one_step_from(initial_weight, RATE)
    descent = GradientDescent(RATES, initial_weight)
    return {
        "one step from W₀ = 0": (last_output(construction.one_step(D, K, RATE, torch.float64)), _literal([RATE], zero)),
        "one step from any W₀": (
            last_output(construction.one_step_from(initial_weight, RATE)),
            _literal([RATE], initial_weight),
        ),
        "eight steps, the served model": (
            lambda x, y, x_query: descent.sequence(x, y, x_query)[:, -1:],
            _literal(RATES, initial_weight),
        ),
        "eight steps, the stack that trains": (
            construction.steps(D, K, RATES, torch.float64),
            _literal(RATES, zero),
        ),
        "one step for each mini-batch": (
            MiniBatchDescent(BATCH_SIZE, RATE, initial_weight),
            _literal_mini_batches(initial_weight),
        ),
        "input and output gating": (_gated(D, K), _literal([RATE], zero)),
        "constructed tokens, scalar y": (
            lambda x, y, x_query: _constructed_tokens(D)(x, y[..., :1], x_query),
            lambda x, y, x_query: _literal([RATE], zero[:, :1])(x, y[..., :1], x_query),
        ),
        "linear self-attention": (
            lambda x, y, x_query: attention.predict(x, y, x.new_ones(x.shape[:2]), x_query),
            _literal([RATE], initial_weight),
        ),
        "one step on cross-entropy": _on_classes(_one_softmax_step(initial_weight), [RATE], initial_weight),
        "eight steps on cross-entropy": _on_classes(_softmax_steps(initial_weight), RATES, initial_weight),
        "eight steps on learnt features": _on_features(D, K),
    }


def _on_classes(model: Model, rates: list[float], initial_weight: Tensor) -> tuple[Model, Model]:
    """Use the place of the largest output, and 0, as the class; one class more than outputs."""

    def labelled(y: Tensor) -> Tensor:
        scores = nn.functional.pad(y, (0, 1))
        return nn.functional.one_hot(scores.argmax(-1), scores.shape[-1]).to(y.dtype)

    def literal(x: Tensor, y: Tensor, x_query: Tensor) -> Tensor:
        start, tasks = nn.functional.pad(initial_weight, (0, 1)), zip(x, labelled(y), x_query, strict=True)
        found = [
            reference.cross_entropy_descent(a, b, q, rates, start, weight=torch.ones_like(a[:, 0])) for a, b, q in tasks
        ]
        return torch.stack(found)

    return lambda x, y, x_query: model(x, labelled(y), x_query), literal


def _one_softmax_step(initial_weight: Tensor) -> Model:
    classifier = OneStepClassifier(RATE, nn.functional.pad(initial_weight, (0, 1)))

    def predict(x: Tensor, y: Tensor, x_query: Tensor) -> Tensor:
        empty = classifier.empty_state(len(x), x.shape[-1], y.shape[-1])
        state = classifier.observe(empty, x, y, x.new_ones(x.shape[:2]))
        return classifier.predict(state, x_query, x.new_tensor(SAFE_STEP))

    return predict


def _softmax_steps(initial_weight: Tensor) -> Model:
    classifier = CrossEntropyDescent(RATES, nn.functional.pad(initial_weight, (0, 1)))
    return lambda x, y, x_query: classifier(x, y, x.new_ones(x.shape[:2]), x_query, x.new_tensor(SAFE_STEP))


def _on_features(D: int, K: int) -> tuple[Model, Model]:
    """The stack with a feature map, and descent on the same features."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        stack = GDSSM(StackConfig(D, K, len(RATES), feature_widths=(8, 6))).double()
    head = construction.steps(6, K, RATES, torch.float64).state_dict()
    stack.load_state_dict(head, strict=False)
    steps, features = _literal(RATES, torch.zeros(6, K, dtype=torch.float64)), stack.feature_map

    def literal(x: Tensor, y: Tensor, x_query: Tensor) -> Tensor:
        return steps(features(x).detach(), y, features(x_query).detach())

    return stack, literal


def _literal(rates: list[float], initial_weight: Tensor) -> Model:
    def predict(*context: Tensor) -> Tensor:
        tasks = zip(*context, strict=True)
        return torch.stack([reference.gradient_descent(x, y, q, rates, initial_weight) for x, y, q in tasks])

    return predict


def _literal_mini_batches(initial_weight: Tensor) -> Model:
    def one(x: Tensor, y: Tensor, x_query: Tensor) -> Tensor:
        batches = list(zip(torch.split(x, BATCH_SIZE), torch.split(y, BATCH_SIZE), strict=True))
        return reference.stochastic_gradient_descent(batches, x_query, [RATE] * len(batches), initial_weight)

    return lambda *context: torch.stack([one(*task) for task in zip(*context, strict=True)])


@torch.no_grad()
def _gated(D: int, K: int) -> Model:
    """The formulation of v2 with the weights of one step."""
    stack = gated(StackConfig(D, K)).double()
    assert isinstance(stack.input_gate, GatedInput)  # noqa: S101
    stack.input_gate.left.copy_(place(X))
    stack.input_gate.right.copy_(place(Y))
    stack.decay_logit.fill_(CERTAIN)
    stack.output_gate.query_weight.copy_(place(NEXT_X))
    stack.gain.copy_(construction.steps(D, K, [RATE], torch.float64).gain)
    return stack


@torch.no_grad()
def _constructed_tokens(D: int) -> Model:
    """The formulation with tokens [x_i·y_i, x_{i+1}] and the weights of one step."""
    layer = ConstructedTokens(D).double()
    identity, zero = torch.eye(D).double(), torch.zeros(D, D).double()
    layer.input_gate.copy_(torch.cat([identity, zero], 1))
    layer.decay_logit.fill_(CERTAIN)
    layer.output_gate.copy_(torch.cat([zero, identity], 1))
    layer.readout.copy_(RATE * identity)
    return layer


def measure(_context: ExperimentContext | None = None) -> Numbers:
    """Measure the relative difference of predictions for each construction and N."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=generator)

    differences = {name: [0.0] * len(LENGTHS) for name in STATEMENTS}
    for D, K in SIZES:
        pairs = constructions(normal(D, K))
        for column, N in enumerate(LENGTHS):
            x, y, x_query = normal(B, N, D), normal(B, N, K), normal(B, 1, D)
            for name, (constructed, literal) in pairs.items():
                expected = literal(x, y, x_query)
                difference = (constructed(x, y, x_query).detach() - expected).norm() / expected.norm()
                differences[name][column] = max(differences[name][column], float(difference))
    return {"lengths": LENGTHS, "differences": differences}


def draw(numbers: Numbers) -> Figure:
    """Draw the differences by N."""
    drawing, (axes,) = figure(1, width=8.5)
    for line in numbers["differences"].values():
        axes.plot(numbers["lengths"], [max(value, SMALLEST) for value in line], "o-", color=BLUES[2], alpha=0.6)
    logarithmic(axes.xaxis, numbers["lengths"])
    logarithmic(axes.yaxis)
    axes.set(ylim=(SMALLEST / 10, 1e-10), xlabel="examples in the context, N", title="relative difference, all kinds")
    return drawing


def tables(numbers: Numbers) -> list[ReportTable]:
    """List the differences by N."""
    rows = [[name, *(f"{value:.1g}" for value in line)] for name, line in numbers["differences"].items()]
    head = ["N", *map(str, numbers["lengths"])]
    return [ReportTable("Relative difference from literal gradient descent, ‖a − b‖/‖b‖", head, rows)]


def largest(numbers: Numbers) -> float:
    """Return the largest difference of all."""
    return float(max(max(line) for line in numbers["differences"].values()))


def finding(numbers: Numbers) -> str:
    """Report the largest difference."""
    return (
        f"For {numbers['lengths'][0]} to {numbers['lengths'][-1]:,} examples all constructions equal literal gradient "
        f"descent to {largest(numbers):.1g}, which is rounding."
    )


def claims(numbers: Numbers) -> list[Verdict]:
    """Compare every construction with rounding."""
    return [
        at_most(
            STATEMENTS[name], "constructed", f"{name}: relative difference from literal descent", max(line), ROUNDING
        )
        for name, line in numbers["differences"].items()
    ]
