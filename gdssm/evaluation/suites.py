"""Named lists of task distributions."""

from typing import TypeAlias

from gdssm.evaluation.tasks.correlated import Correlated
from gdssm.evaluation.tasks.drift import Drift
from gdssm.evaluation.tasks.linear import Linear
from gdssm.evaluation.tasks.noisy_linear import NoisyLinear
from gdssm.evaluation.tasks.random_network import RandomNetwork
from gdssm.evaluation.tasks.sine import Sine
from gdssm.evaluation.tasks.sparse_linear import SparseLinear
from gdssm.evaluation.tasks.stretched import Stretched
from gdssm.evaluation.tasks.task import Task

Suite: TypeAlias = tuple[tuple[str, Task], ...]
"""Distributions by name, in the order in which a report shows them."""

PAPER: Suite = (
    ("linear", Linear()),
    ("linear-vector", Linear(outputs=10)),
    ("inputs-1.5x", Stretched(input_stretch=1.5)),
    ("inputs-2x", Stretched(input_stretch=2.0)),
    ("inputs-3x", Stretched(input_stretch=3.0)),
    ("weights-2x", Stretched(weight_stretch=2.0)),
    ("weights-3x", Stretched(weight_stretch=3.0)),
    ("sine", Sine()),
)
"""What the paper measures."""

PRACTICAL: Suite = (
    ("noisy", NoisyLinear()),
    ("sparse", SparseLinear()),
    ("correlated-10", Correlated(condition_number=10.0)),
    ("correlated-100", Correlated(condition_number=100.0)),
    ("random-network", RandomNetwork()),
    ("drift", Drift()),
)
"""What data in use look like: noise, few relevant inputs, correlation, curvature, change."""


def suite(name: str) -> Suite:
    """Find a suite by its name.

    Args:
        name: "paper" or "practical".

    Returns:
        Its distributions by name.

    Raises:
        ValueError: if there is none of this name.
    """
    suites = {"paper": PAPER, "practical": PRACTICAL}
    if name not in suites:
        raise ValueError(f"There is no suite {name!r}; choose one of {', '.join(suites)}.")
    return suites[name]
